#include "config/remote.h"

#include "config/repo-url.h"
#include "lib/strv.h"
#include "lib/text.h"

#define SSH_PORT 22

void remote_clear(struct remote *remote)
{
        if (!remote)
                return;
        free(remote->user);
        free(remote->host);
        *remote = (struct remote)REMOTE_INIT;
}

/*
 * Reads "[user@]host[:port]" or "[user@][address][:port]". Returns what comes after the host and doesn't read the port, so that
 * scp's "host:path" works too.
 */
static const char *parse_authority(const char *text, size_t length, struct remote *out)
{
        const char *end = text + length;
        const char *at = text_last(text, length, '@');
        const char *stop;

        if (at) {
                out->user = xstrndup(text, (size_t)(at - text));
                text = at + 1;
        }
        if (text < end && *text == '[' && (stop = memchr(text, ']', (size_t)(end - text)))) {
                out->host = xstrndup(text + 1, (size_t)(stop - text - 1));
                return stop + 1;
        }
        stop = memchr(text, ':', (size_t)(end - text));
        if (!stop)
                stop = end;
        out->host = xstrndup(text, (size_t)(stop - text));
        return stop;
}

void remote_parse(const char *url, struct remote *out)
{
        const char *scheme = strstr(url, "://");

        *out = (struct remote)REMOTE_INIT;
        if (scheme) {
                _cleanup_(freep) char *port_text = NULL;
                const char *authority = scheme + 3;
                size_t length = strcspn(authority, "/?#");
                const char *rest;
                int64_t port;

                out->ssh = starts_with(url, "ssh://") || starts_with(url, "git+ssh://") || starts_with(url, "ssh+git://");
                if (length == 0)
                        return;
                rest = parse_authority(authority, length, out);
                if (*rest != ':')
                        return;
                port_text = xstrndup(rest + 1, (size_t)(authority + length - rest - 1));
                if (text_parse_int(port_text, 1, UINT16_MAX, &port) == 0)
                        out->port = (uint16_t)port;
                return;
        }
        out->ssh = true;
        /* An address in brackets has colons of its own; otherwise the first colon ends the host. */
        if (strchr(url, '[') && strstr(url, "]:"))
                parse_authority(url, (size_t)(strstr(url, "]:") + 1 - url), out);
        else
                parse_authority(url, strcspn(url, ":"), out);
}

bool remote_of_repo(const char *url, struct remote *out)
{
        if (repo_url_check(url, NULL, NULL) < 0)
                return false;
        remote_parse(url, out);
        return out->host != NULL;
}

char *remote_known_host(const struct remote *remote)
{
        if (remote->port != 0 && remote->port != SSH_PORT)
                return xasprintf("[%s]:%u", remote->host, (unsigned)remote->port);
        return xstrdup(remote->host);
}

char *remote_ssh_command(const struct remote *remote)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_add(&argv, "ssh");
        if (remote->port != 0 && remote->port != SSH_PORT) {
                strv_add(&argv, "-p");
                strv_addf(&argv, "%u", (unsigned)remote->port);
        }
        strv_add(&argv, "-T");
        strv_addf(&argv, "%s%s%s", remote->user ? remote->user : "", remote->user ? "@" : "", remote->host);
        return text_shell_join(strv_argv(&argv));
}

char *remote_shown(const char *url)
{
        const char *scheme = strstr(url, "://");
        const char *authority = scheme ? scheme + 3 : url;
        size_t length = strcspn(authority, "/?#");
        const char *at = text_last(authority, length, '@');
        const char *colon = at ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

        if (!scheme || !colon)
                return xstrdup(url);
        return xasprintf("%.*s:***%s", (int)(colon - url), url, at);
}
