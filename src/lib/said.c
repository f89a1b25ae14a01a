#include "lib/said.h"

#include "lib/text.h"

/* So many lines, from the end, count as the last ones. npm prints a dozen lines after its reason, curl five. */
#define LAST_LINES  40
#define ERROR_LINES 12
#define WHY_MOST    300

/* Programs say it in these words. OpenSSL's are those of curl, git, Python, Ruby and Node.js, too. */
static const char *const untrusted[] = {
        "curl: (60)",
        "SSL certificate problem",   /* curl's library: curl, git, cargo */
        "certificate verify failed", /* OpenSSL: Python, Ruby, wget */
        "CERTIFICATE_VERIFY_FAILED", /* Python */
        "unable to get local issuer certificate",
        "unable to get issuer certificate",
        "unable to verify the first certificate",
        "self-signed certificate",   /* OpenSSL 3; also "… in certificate chain" */
        "self signed certificate",   /* OpenSSL 1.1 */
        "SELF_SIGNED_CERT_IN_CHAIN", /* Node.js: npm, pnpm, yarn */
        "DEPTH_ZERO_SELF_SIGNED_CERT",
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        "UNABLE_TO_GET_ISSUER_CERT",
        "Certificate verification failed",         /* apt */
        "certificate verification failed",         /* GnuTLS: git on Debian */
        "The certificate issuer is unknown",       /* GnuTLS: apt, wget */
        "certificate signed by unknown authority", /* Go: "x509: …" */
        "invalid peer certificate: UnknownIssuer", /* rustls: uv */
        "PKIX path building failed",               /* Java */
        "unable to find valid certification path",
        NULL,
};

/* A line that says this is about the server's certificate itself, and no CA helps. */
static const char *const other_faults[] = {
        "has expired", "not yet valid", "ostname mismatch", "no alternative certificate subject name", "not valid for", NULL,
};

static const char *const broken_off[] = {
        "Could not resolve host",
        "Failed to connect to", /* curl's library */
        "Temporary failure in name resolution",
        "Temporary failure resolving",
        "EAI_AGAIN",
        "onnection timed out",
        "peration timed out",
        "i/o timeout",
        "ETIMEDOUT",
        "Operation too slow", /* curl's --speed-limit */
        "onnection reset",
        "ECONNRESET",
        "bytes remaining to read", /* curl: (18) */
        "bytes missing",
        "was not closed cleanly", /* HTTP/2 */
        "Empty reply from server",
        "unexpected EOF",
        "early EOF",
        "unexpected disconnect",
        "remote end hung up unexpectedly",
        "TLS connection was non-properly terminated",
        "Hash Sum mismatch", /* apt, while its mirror is brought up to date */
        "File has unexpected size",
        "returned error: 429",
        "returned error: 502",
        "returned error: 503",
        "returned error: 504",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway",
        NULL,
};

/* How lines begin, and what they have in them, that tell of an error. */
static const char *const beginnings[] = {
        "E: ", "error", "Error", "ERROR", "fatal", "FATAL", "npm ERR!", "npm error", "panic:", "curl: (", NULL,
};
static const char *const words[] = {
        ": error: ",    ": Error: ",         "Error:",        ": fatal", ": not found",
        "No such file", "Permission denied", "No space left", " failed", NULL,
};
/* These name no reason. */
static const char *const dull[] = {
        "npm error code", "npm ERR! code", "npm error errno", "npm ERR! errno", "npm error syscall", "npm ERR! syscall", NULL,
};

/* The length of the escape sequence at `text` (ECMA-48: CSI …, OSC … BEL or ST, or two characters), 0 when there is none. */
static size_t escape_length(const char *text, size_t length)
{
        size_t at = 2;

        if (length < 2 || text[0] != '\033')
                return 0;
        if (text[1] == '[') {
                while (at < length && (unsigned char)text[at] >= 0x20 && (unsigned char)text[at] < 0x40)
                        at++;
                return at < length ? at + 1 : length;
        }
        if (text[1] == ']') {
                while (at < length && text[at] != '\a' && text[at] != '\033')
                        at++;
                if (at < length && text[at] == '\033')
                        at++;
                return at < length ? at + 1 : length;
        }
        return 2;
}

void said_plain(struct strbuf *out, const char *line, size_t length)
{
        while (length > 0) {
                size_t skipped = escape_length(line, length);
                size_t plain = 0;

                while (skipped == 0 && plain < length && (plain == 0 || line[plain] != '\033'))
                        plain++;
                text_visible(out, line, plain);
                line += skipped + plain;
                length -= skipped + plain;
        }
}

/* The last lines that aren't empty, the last one first: plain text. */
struct last {
        char *lines[LAST_LINES];
        size_t count;
};

static void last_clear(struct last *last)
{
        for (size_t i = 0; i < last->count; i++)
                free(last->lines[i]);
}

static void last_read(struct last *last, const char *text, size_t length)
{
        for (size_t end = length; end > 0 && last->count < LAST_LINES;) {
                _cleanup_(strbuf_clear) struct strbuf plain = STRBUF_INIT;
                size_t begin = end;
                size_t shown;
                const char *line;

                while (begin > 0 && text[begin - 1] != '\n')
                        begin--;
                shown = end - begin;
                line = text_shown(text + begin, &shown, " \t\r");
                said_plain(&plain, line, shown);
                strbuf_trim_end(&plain);
                if (plain.len > 0)
                        last->lines[last->count++] = strbuf_take(&plain);
                end = begin > 0 ? begin - 1 : 0;
        }
}

static const char *find_word(const char *line, const char *const *list)
{
        for (; *list; list++)
                if (strstr(line, *list))
                        return *list;
        return NULL;
}

static bool begins_with_any(const char *line, const char *const *list)
{
        for (; *list; list++)
                if (starts_with(line, *list))
                        return true;
        return false;
}

static const char *find_untrusted(const char *line)
{
        return find_word(line, other_faults) ? NULL : find_word(line, untrusted);
}

static const char *find_broken_off(const char *line)
{
        return find_word(line, broken_off);
}

/* Finds the last line that `find` knows. Returns its place from the end, and what was found; or last->count. */
static size_t find_line(const struct last *last, const char *(*find)(const char *line), const char **found)
{
        for (size_t i = 0; i < last->count; i++) {
                const char *word = find(last->lines[i]);

                if (!word)
                        continue;
                if (found)
                        *found = word;
                return i;
        }
        return last->count;
}

/* Later lines often only say that there was an error, so the first one counts. */
static size_t find_error(const struct last *last)
{
        for (size_t i = last->count < ERROR_LINES ? last->count : ERROR_LINES; i-- > 0;) {
                const char *line = last->lines[i] + strspn(last->lines[i], " \t");

                if ((begins_with_any(line, beginnings) || find_word(line, words)) && !begins_with_any(line, dull))
                        return i;
        }
        return 0;
}

/* Cuts it between two characters. */
static void cut(char *line)
{
        size_t end = WHY_MOST;

        if (strlen(line) <= WHY_MOST + strlen("…"))
                return;
        while (end > 0 && ((unsigned char)line[end] & 0xC0) == 0x80)
                end--;
        memcpy(line + end, "…", sizeof("…"));
}

char *said_why(const char *text, size_t length)
{
        _cleanup_(last_clear) struct last last = { .count = 0 };
        size_t at;
        char *why;

        last_read(&last, text, length);
        if (last.count == 0)
                return xstrdup("");
        at = find_line(&last, find_untrusted, NULL);
        if (at == last.count)
                at = find_line(&last, find_broken_off, NULL);
        if (at == last.count)
                at = find_error(&last);
        why = xstrdup(last.lines[at] + strspn(last.lines[at], " \t"));
        cut(why);
        return why;
}

static const char *find_sign(const char *text, size_t length, const char *(*find)(const char *line))
{
        _cleanup_(last_clear) struct last last = { .count = 0 };
        const char *found = NULL;

        last_read(&last, text, length);
        find_line(&last, find, &found);
        return found;
}

const char *said_untrusted(const char *text, size_t length)
{
        return find_sign(text, length, find_untrusted);
}

const char *said_broken_off(const char *text, size_t length)
{
        return find_sign(text, length, find_broken_off);
}
