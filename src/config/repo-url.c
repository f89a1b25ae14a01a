/*
 * Which URLs go to git, and the names of the folders that clones of them get. A URL comes from a file that may come from a
 * stranger's repo; git would take some of what can be written there for an option, a program to run, or a second line of a
 * protocol. So only forms that are known here pass, with hosts and users made of plain characters.
 */
#include <ctype.h>

#include "config/repo-url.h"
#include "lib/file.h"
#include "lib/text.h"

#define URL_MOST       2048
#define REPO_NAME_MOST 100

static const char *const schemes[] = { "https", "ssh", "git+ssh", "git", NULL };

#define HINT_FORMS "write it as https://HOST/PATH or USER@HOST:PATH"

static int refuse(struct error **err, const char *url, const char *reason)
{
        error_set(err, ERROR_CONFIG, "'%s' can't be a repo's URL: %s", url, reason);
        return error_hint(err, HINT_FORMS);
}

/* Are these only characters that no shell, ssh or reader can take for anything else? */
static bool is_plain(const char *text, size_t length, const char *also)
{
        for (size_t i = 0; i < length; i++)
                if (!isascii(text[i]) || (!isalnum((unsigned char)text[i]) && !strchr(also, text[i])))
                        return false;
        return true;
}

static int check_user(const char *user, size_t length, const char *url, struct error **err)
{
        if (length == 0)
                return refuse(err, url, "its user is empty");
        if (*user == '-')
                return refuse(err, url, "its user begins with a dash");
        if (memchr(user, ':', length)) {
                /* The URL is not repeated, because it has a secret in it and messages land in logs. */
                error_set(err, ERROR_CONFIG, "a repo's URL has a password in it");
                return error_hint(err, "take it out: URLs are shown in lists and logs, and the guest keeps them on its disk");
        }
        if (!is_plain(user, length, "._+~-"))
                return refuse(err, url, "its user has more than letters, digits and . _ + ~ -");
        return 0;
}

/* Length of the "[…]" of an IPv6 address at the front; 0 when there is none. */
static size_t address_length(const char *text, size_t length)
{
        const char *end = memchr(text, ']', length);
        size_t inside = end ? (size_t)(end - text) - 1 : 0;

        if (inside == 0)
                return 0;
        for (size_t i = 1; i <= inside; i++)
                if (!isxdigit((unsigned char)text[i]) && text[i] != ':' && text[i] != '.')
                        return 0;
        return inside + 2;
}

/* Length of the host at the front, or 0 with an error. */
static size_t check_host(const char *text, size_t length, const char *url, struct error **err)
{
        size_t host = 0;

        if (length > 0 && *text == '[') {
                host = address_length(text, length);
                if (host == 0)
                        refuse(err, url, "its host is not an IPv6 address");
                return host;
        }
        while (host < length && text[host] != ':')
                host++;
        if (host == 0)
                refuse(err, url, "it has no host");
        else if (*text == '-')
                refuse(err, url, "its host begins with a dash");
        else if (!is_plain(text, host, "._-"))
                refuse(err, url, "its host has more than letters, digits and . _ -");
        else
                return host;
        return 0;
}

static char *host_name(const char *text, size_t length)
{
        return *text == '[' ? xstrndup(text + 1, length - 2) : xstrndup(text, length);
}

/* "[user@]host[:port]" */
static int check_authority(const char *text, size_t length, const char *url, char **host, struct error **err)
{
        const char *at = text_last(text, length, '@');
        size_t host_length;

        if (at) {
                if (check_user(text, (size_t)(at - text), url, err) < 0)
                        return -1;
                length -= (size_t)(at + 1 - text);
                text = at + 1;
        }
        host_length = check_host(text, length, url, err);
        if (host_length == 0)
                return -1;
        if (host_length < length) {
                _cleanup_(freep) char *port = xstrndup(text + host_length + 1, length - host_length - 1);
                int64_t number;

                if (text[host_length] != ':' || text_parse_int(port, 1, UINT16_MAX, &number) < 0)
                        return refuse(err, url, "its port is not between 1 and 65535");
        }
        *host = host_name(text, host_length);
        return 0;
}

static bool is_allowed_scheme(const char *url, size_t length)
{
        for (const char *const *scheme = schemes; *scheme; scheme++)
                if (strlen(*scheme) == length && strncmp(url, *scheme, length) == 0)
                        return true;
        return false;
}

/* file:///PATH, or file://localhost/PATH */
static int check_file_url(const char *path, const char *url, char **host, struct error **err)
{
        const char *allowed = getenv("MACHINE_ALLOW_FILE_URLS");

        if (!allowed || *allowed == '\0') {
                error_set(err, ERROR_CONFIG, "'%s' can't be a repo's URL: a VM doesn't reach the host's folders", url);
                return error_hint(err, "use repos = [\".\"] in a .machine.toml, or the URL that others clone from");
        }
        if (*path != '/' && !starts_with(path, "localhost/"))
                return refuse(err, url, "a file has no host");
        *host = xstrdup("");
        return 0;
}

static int check_with_scheme(const char *url, const char *mark, char **host, struct error **err)
{
        const char *authority = mark + strlen("://");
        size_t length = strcspn(authority, "/?#");
        size_t scheme = (size_t)(mark - url);

        if (scheme == strlen("file") && starts_with(url, "file"))
                return check_file_url(authority, url, host, err);
        if (!is_allowed_scheme(url, scheme)) {
                _cleanup_(freep) char *name = xstrndup(url, scheme);

                error_set(err, ERROR_CONFIG, "'%s' can't be a repo's URL: '%s' is not among https, ssh, git+ssh and git", url,
                          name);
                return error_hint(err, HINT_FORMS);
        }
        return check_authority(authority, length, url, host, err);
}

/* "[user@]host:path", as scp has it: a colon before the first slash. */
static int check_scp_form(const char *url, char **host, struct error **err)
{
        size_t first = strcspn(url, "/");
        const char *at = memchr(url, '@', first);
        const char *start = at ? at + 1 : url;
        const char *colon;
        size_t length;

        if (!memchr(url, ':', first)) {
                error_set(err, ERROR_CONFIG, "'%s' can't be a repo's URL: it is a folder of the host, which a VM doesn't reach",
                          url);
                return error_hint(err, "use repos = [\".\"] in a .machine.toml, or the URL that others clone from");
        }
        if (at && check_user(url, (size_t)(at - url), url, err) < 0)
                return -1;
        length = check_host(start, first - (size_t)(start - url), url, err);
        if (length == 0)
                return -1;
        colon = start + length;
        if (*colon != ':')
                return refuse(err, url, "it has no ':' after its host");
        /* git hands this path to a program on the other side. */
        if (colon[1] == '-')
                return refuse(err, url, "its path begins with a dash");
        *host = host_name(start, length);
        return 0;
}

/* "ext::sh -c …": git would run the helper that is named before the colons. */
static bool names_a_helper(const char *url)
{
        while (isalnum((unsigned char)*url) || *url == '+' || *url == '-' || *url == '.')
                url++;
        return starts_with(url, "::");
}

/* Control characters written as %0a become real ones inside git. */
static bool hides_control_characters(const char *url)
{
        for (; (url = strchr(url, '%')); url++)
                if (isxdigit((unsigned char)url[1]) && isxdigit((unsigned char)url[2]) &&
                    (url[1] == '0' || url[1] == '1' || (url[1] == '7' && (url[2] == 'f' || url[2] == 'F'))))
                        return true;
        return false;
}

static int check_characters(const char *url, struct error **err)
{
        _cleanup_(freep) char *visible = text_visible_dup(url);

        if (!streq(visible, url) || strpbrk(url, " \t\n\v\f\r"))
                return refuse(err, url, "it has white space or control characters");
        if (hides_control_characters(url))
                return refuse(err, url, "it has control characters, written with %");
        if (strchr(url, '\\'))
                return refuse(err, url, "it has a backslash");
        return 0;
}

int repo_url_check(const char *url, char **host, struct error **err)
{
        _cleanup_(freep) char *found = NULL;
        const char *mark = strstr(url, "://");

        if (*url == '\0')
                return error_set(err, ERROR_CONFIG, "a repo's URL is empty");
        if (strlen(url) > URL_MOST)
                return error_set(err, ERROR_CONFIG, "a repo's URL is longer than %d characters", URL_MOST);
        if (*url == '-')
                return refuse(err, url, "it begins with a dash");
        if (check_characters(url, err) < 0)
                return -1;
        if (names_a_helper(url))
                return refuse(err, url, "it names a program that git would run");
        if (mark ? check_with_scheme(url, mark, &found, err) < 0 : check_scp_form(url, &found, err) < 0)
                return -1;
        if (host)
                *host = TAKE_PTR(found);
        return 0;
}

/* The part of `url` that is a path; empty when there is none. */
static const char *path_of(const char *url)
{
        const char *mark = strstr(url, "://");
        const char *path;

        if (mark) {
                path = strchr(mark + strlen("://"), '/');
                return path ? path : "";
        }
        if ((path = strstr(url, "]:")))
                return path + 2;
        path = strchr(url, ':');
        return path ? path + 1 : url;
}

static size_t without_slashes(const char *path, size_t end)
{
        while (end > 0 && path[end - 1] == '/')
                end--;
        return end;
}

static size_t without_suffix(const char *path, size_t end, const char *suffix)
{
        size_t length = strlen(suffix);

        return end > length && strncmp(path + end - length, suffix, length) == 0 ? end - length : end;
}

char *repo_url_name(const char *url)
{
        const char *path = path_of(url);
        size_t end = without_slashes(path, strlen(path));
        size_t start;

        end = without_slashes(path, without_suffix(path, end, "/.git"));
        end = without_suffix(path, end, ".git");
        for (start = end; start > 0 && path[start - 1] != '/';)
                start--;
        if (start == end || end - start > REPO_NAME_MOST || path[start] == '.' || path[start] == '-')
                return NULL;
        for (size_t i = start; i < end; i++)
                if (isascii(path[i]) && !is_plain(path + i, 1, "._+%@,=-"))
                        return NULL;
        return xstrndup(path + start, end - start);
}

/* The folder may be called anything; as a repo's name it has to be one that a URL could have given. */
char *repo_checkout_name(const char *checkout, const char *project)
{
        _cleanup_(freep) char *base = path_base(checkout);
        _cleanup_(freep) char *as_url = xasprintf("host:%s/", base);
        char *name = repo_url_name(as_url);

        return name ? name : xstrdup(project ? project : "checkout");
}
