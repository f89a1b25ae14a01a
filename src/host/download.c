#include "host/download.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/ca.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/nest.h"
#include "lib/process.h"
#include "lib/said.h"
#include "lib/text.h"

/* A download may take as long as bytes come; this is only for a server that never ends. */
#define TIMEOUT_MS (12 * 60 * 60 * 1000)
/* Fewer bytes a second, for so many seconds, is standing still: curl(1), --speed-limit. */
#define SPEED_LEAST     "1000"
#define STILL_SECONDS   "120"
#define CONNECT_SECONDS "30"
/* Between two looks how far it is */
#define PROGRESS_MS  250
#define HEADERS_MOST (256 << 10)

char *download_source(const struct download *download)
{
        size_t longest = 0, at = 0;

        for (size_t i = 0; download->mirror_from && i < download->mirror_from->count; i++) {
                const char *prefix = download->mirror_from->items[i];

                if (starts_with(download->url, prefix) && strlen(prefix) > longest) {
                        longest = strlen(prefix);
                        at = i;
                }
        }
        if (longest == 0)
                return xstrdup(download->url);
        return xasprintf("%s%s", download->mirror_to->items[at], download->url + longest);
}

/* Finds the cached file with this hash, and checks it: 1 and its path, or 0. */
static int find_cached(const char *folder, const char *sha256, char **path)
{
        _cleanup_(freep) char *file = path_join(folder, sha256);
        _cleanup_(freep) char *hash = NULL;

        if (!file_exists(file))
                return 0;
        if (hash_file(file, &hash, NULL) == 0 && streq(hash, sha256)) {
                *path = TAKE_PTR(file);
                return 1;
        }
        /* Somebody, or a broken disk, changed it. */
        file_remove(file, NULL);
        return 0;
}

/* The error has the line that tells why; curl explains some of its errors in five more, which the hint does better. */
static int curl_failed(const struct process_result *result, struct error **err)
{
        _cleanup_(freep) char *how = process_status_text(result->status);
        _cleanup_(freep) char *why = said_why(result->err.buf, result->err.len);

        error_set(err, ERROR_FAILED, "'curl' failed with %s%s%s", how, *why ? ": " : "", why);
        if (said_untrusted(result->err.buf, result->err.len)) {
                _cleanup_(freep) char *advice = ca_advice();

                error_hint(err, "%s", advice);
        } else if (said_broken_off(result->err.buf, result->err.len)) {
                error_passes(err, "what came whole is kept: " SAID_BROKEN_OFF_PASSES);
        }
        return -1;
}

/* A download that is under way. */
struct fetching {
        const char *to, *headers; /* the files that curl writes */
        struct event_sink *events;
};

/*
 * The length that the last answer gives, or 0. curl writes the headers of each answer as they come: of a proxy, of what leads
 * elsewhere, and at last of the file itself.
 */
static int64_t read_length(const char *headers)
{
        static const char name[] = "content-length:";
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        int64_t length = 0;
        char *save = NULL;

        if (file_read(headers, HEADERS_MOST, &text, NULL) < 0)
                return 0;
        for (char *line = strtok_r(text.buf, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
                bool says = strncasecmp(line, name, strlen(name)) == 0;
                const char *value = says ? line + strlen(name) : "";

                /* An answer begins, or its length can't be read. */
                if (starts_with(line, "HTTP/") ||
                    (says && text_parse_int(value + strspn(value, " \t"), 0, INT64_MAX, &length) < 0))
                        length = 0;
        }
        return length;
}

static int tell_progress(void *data, struct error **err _unused_)
{
        const struct fetching *fetching = data;
        int64_t length = read_length(fetching->headers);
        struct stat status;

        if (length > 0 && stat(fetching->to, &status) == 0)
                event_progress(fetching->events, status.st_size, length);
        return 0;
}

static int run_curl(const struct download *download, const char *source, const char *to, struct event_sink *events,
                    struct error **err)
{
        _cleanup_(freep) char *headers = xasprintf("%s.headers", to);
        struct fetching fetching = { .to = to, .headers = headers, .events = events };
        int64_t most = download->bytes_most > 0 ? download->bytes_most : DOWNLOAD_BYTES_MOST;
        int timeout_ms = download->timeout_ms > 0 ? download->timeout_ms : TIMEOUT_MS;
        _cleanup_(freep) char *bytes = xasprintf("%lld", (long long)most);
        _cleanup_(freep) char *seconds = xasprintf("%d", (timeout_ms + 999) / 1000);
        bool plain = starts_with(source, "http://") && !streq(source, download->url);
        const char *protocol = plain ? "=http,https" : "=https";
        const char *const argv[] = {
                "curl",
                "-q",
                "--silent",
                "--show-error",
                "--fail",
                "--location",
                "--max-redirs",
                "10",
                "--globoff",
                "--proto",
                protocol,
                "--proto-redir",
                protocol,
                "--max-time",
                seconds,
                "--max-filesize",
                bytes,
                "--connect-timeout",
                CONNECT_SECONDS,
                "--speed-limit",
                SPEED_LEAST,
                "--speed-time",
                STILL_SECONDS,
                "--retry",
                "2",
                "--dump-header",
                headers,
                "--output",
                to,
                "--",
                source,
                NULL,
        };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        struct stat status;

        if (process_run(&(struct process_spec){ .argv = argv,
                                                .timeout_ms = timeout_ms + 5000,
                                                .on_wait = tell_progress,
                                                .on_wait_data = &fetching,
                                                .wait_ms = PROGRESS_MS },
                        &result, err) < 0)
                return -1;
        if (result.status != 0)
                return curl_failed(&result, err);
        /* curl can't check this in advance for a file without a length. */
        if (stat(to, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot find the downloaded file");
        return status.st_size > most ? error_set(err, ERROR_FAILED, "it has more than %s bytes", bytes) : 0;
}

static int sync_file(const char *path, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0 || fsync(fd) < 0)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
        return 0;
}

static int refuse_hash(const struct download *download, const char *hash, const char *source, struct error **err)
{
        error_set(err, ERROR_CONFIG, "'%s' has sha256 %s, not %s", source, hash, download->sha256);
        return error_hint(
                err, "somebody changed it, or the recipe is for another version: find out which, then set the new sha256, or: "
                     "machine lock --update");
}

/* Fetches to the temporary file `to`, checks it, and gives it its name. */
static int fetch(const struct download *download, const char *folder, const char *to, struct event_sink *events, char **path,
                 char **sha256, struct error **err)
{
        _cleanup_(freep) char *source = download_source(download);
        _cleanup_(freep) char *hash = NULL;
        _cleanup_(freep) char *file = NULL;

        if (run_curl(download, source, to, events, err) < 0)
                return error_wrap(err, "cannot download '%s'", source);
        if (sync_file(to, err) < 0 || hash_file(to, &hash, err) < 0)
                return -1;
        if (download->sha256 && !streq(hash, download->sha256))
                return refuse_hash(download, hash, source, err);
        file = path_join(folder, hash);
        if (file_rename(to, file, err) < 0)
                return -1;
        *path = TAKE_PTR(file);
        *sha256 = TAKE_PTR(hash);
        return 0;
}

int download_get(const struct download *download, struct event_sink *events, char **path, char **sha256, struct error **err)
{
        _cleanup_(freep) char *folder = paths_cache("downloads");
        _cleanup_(freep) char *shown = text_visible_dup(download->url);
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(freep) char *temporary = NULL;
        int status;

        if (download->sha256 && find_cached(folder, download->sha256, path)) {
                *sha256 = xstrdup(download->sha256);
                return 0;
        }
        if (file_make_folders(folder, 0700, err) < 0 || nest_make(folder, ".new.", &nest, err) < 0)
                return -1;
        temporary = path_join(nest.folder, "file");
        if (file_write(temporary, "", 0, 0600, err) < 0)
                return -1;
        event_begin(events, "download", "downloading %s", shown);
        status = fetch(download, folder, temporary, events, path, sha256, err);
        event_end(events, "download", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        return status;
}
