#include "guest/known_hosts.h"

#include <sys/wait.h>

#include "host/agent.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"

#define FILE_LIMIT         (1 << 20)
#define LOOK_UP_TIMEOUT_MS 10000
#define BLANKS             " \t\r"

/* Finds the next word at *text, moves *text past it, and returns its length; 0 = there is none. */
static size_t next_word(const char **text, const char *end, const char **word)
{
        size_t length = 0;

        while (*text < end && strchr(BLANKS, **text))
                (*text)++;
        *word = *text;
        while (*text < end && !strchr(BLANKS, **text)) {
                (*text)++;
                length++;
        }
        return length;
}

static bool all_of(const char *word, size_t length, const char *allowed)
{
        for (size_t i = 0; i < length; i++)
                if (!strchr(allowed, word[i]))
                        return false;
        return true;
}

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: [marker] names type key [comment] */
static void add_line(const char *text, const char *end, const char *host, struct strbuf *out)
{
        const char *marker = NULL, *names, *type, *key;
        size_t marker_length = 0, names_length, type_length, key_length;

        names_length = next_word(&text, end, &names);
        if (names_length == 0 || *names == '#' || memchr(names, '\0', names_length))
                return;
        if (*names == '@') {
                marker = names;
                marker_length = names_length;
                names_length = next_word(&text, end, &names);
        }
        type_length = next_word(&text, end, &type);
        key_length = next_word(&text, end, &key);
        if (names_length == 0 || type_length == 0 || key_length == 0 || !all_of(type, type_length, LETTERS_AND_DIGITS "-.@") ||
            !all_of(key, key_length, LETTERS_AND_DIGITS "+/="))
                return;
        if (marker)
                strbuf_addf(out, "%.*s ", (int)marker_length, marker);
        if (host)
                strbuf_adds(out, host);
        else
                strbuf_add(out, names, names_length);
        strbuf_addf(out, " %.*s %.*s\n", (int)type_length, type, (int)key_length, key);
}

void known_hosts_add(const char *text, const char *host, struct strbuf *out)
{
        while (*text) {
                size_t length = strcspn(text, "\n");

                add_line(text, text + length, host, out);
                text += length + (text[length] == '\n');
        }
}

/* ssh-keygen -F ends with 1 when the file has no such host. */
static int look_up(const char *file, const char *host, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        const char *const argv[] = { "ssh-keygen", "-F", host, "-f", file, NULL };

        if (!file_exists(file))
                return 0;
        if (process_run(&(struct process_spec){ .argv = argv, .timeout_ms = LOOK_UP_TIMEOUT_MS }, &result, err) < 0)
                return error_wrap(err, "cannot look up '%s' in '%s'", host, file);
        if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0)
                known_hosts_add(result.out.buf, host, out);
        return 0;
}

/* Adds what this computer's own ssh knows of the host. */
static int look_up_own(const char *host, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *user = paths_ssh("known_hosts");

        return look_up(user, host, out, err) < 0 ? -1 : look_up("/etc/ssh/ssh_known_hosts", host, out, err);
}

/* Does machine-keys verify signatures of this kind of key (keys/signature.h)? */
static bool is_verified(const char *key)
{
        return starts_with(key, "ssh-ed25519 ") || starts_with(key, "ecdsa-sha2-nistp") || starts_with(key, "ssh-rsa ");
}

/* Adds the key of "[@revoked] HOST TYPE KEY" to the list that it belongs to. A certificate authority's key is not a host's. */
static void sort_key(const char *line, struct strv *known, struct strv *revoked)
{
        bool is_revoked = starts_with(line, "@revoked ");
        const char *host = is_revoked ? line + strlen("@revoked ") : line;
        const char *key = strchr(host, ' ');
        char *fingerprint = *host != '@' && key && is_verified(key + 1) ? agent_fingerprint(key + 1) : NULL;

        if (fingerprint)
                strv_take(is_revoked ? revoked : known, fingerprint);
}

int known_hosts_fingerprints(const char *host, struct strv *out, struct error **err)
{
        _cleanup_(freep) char *shipped = paths_shipped("known_hosts", err);
        _cleanup_(strbuf_clear) struct strbuf lines = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv known = STRV_INIT;
        _cleanup_(strv_clear) struct strv revoked = STRV_INIT;
        char *save = NULL;

        if (!shipped || look_up(shipped, host, &lines, err) < 0 || look_up_own(host, &lines, err) < 0)
                return -1;
        for (char *line = lines.buf ? strtok_r(lines.buf, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
                sort_key(line, &known, &revoked);
        for (size_t i = 0; i < known.count; i++)
                if (!strv_contains(&revoked, known.items[i]) && !strv_contains(out, known.items[i]))
                        strv_add(out, known.items[i]);
        return 0;
}

int known_hosts_collect(const struct strv *hosts, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *shipped = paths_shipped("known_hosts", err);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (!shipped || file_read(shipped, FILE_LIMIT, &text, err) < 0)
                return -1;
        known_hosts_add(text.buf, NULL, out);
        for (size_t i = 0; i < hosts->count; i++)
                if (look_up_own(hosts->items[i], out, err) < 0)
                        return -1;
        return 0;
}
