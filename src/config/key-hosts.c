#include "config/key-hosts.h"

#include "config/remote.h"
#include "lib/text.h"

#define REPOS    "@git"
#define SSH_PORT 22

/*
 * Splits "HOST" or "HOST:PORT" into the host's length and the port, or 0. False when it is neither. An IPv6 address has no
 * place here, because no guest reaches one.
 */
static bool split(const char *text, size_t *length, int64_t *port)
{
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

        *length = strspn(text, allowed);
        *port = 0;
        if (*length == 0 || *length > 253 || *text == '-' || *text == '.')
                return false;
        return text[*length] == '\0' || (text[*length] == ':' && text_parse_int(text + *length + 1, 1, 65535, port) == 0);
}

int key_hosts_check(const char *text, struct error **err)
{
        size_t length;
        int64_t port;

        if (streq(text, REPOS) || split(text, &length, &port))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is not a host", text);
        return error_hint(err, "write \"HOST\", \"HOST:PORT\", or \"" REPOS "\" for the hosts of the project's repos");
}

static void add(struct strv *out, char *name)
{
        if (name && !strv_contains(out, name))
                strv_take(out, name);
        else
                free(name);
}

static void add_repos(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;

                if (remote_of_repo(project->repos[i].url, &remote) && remote.ssh)
                        add(out, remote_known_host(&remote));
        }
}

static void add_host(const char *text, struct strv *out)
{
        size_t length;
        int64_t port;

        if (split(text, &length, &port))
                add(out, port > 0 && port != SSH_PORT ? xasprintf("[%.*s]:%d", (int)length, text, (int)port)
                                                      : xstrndup(text, length));
}

void key_hosts_expand(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->key_hosts.count; i++) {
                if (streq(project->key_hosts.items[i], REPOS))
                        add_repos(project, out);
                else
                        add_host(project->key_hosts.items[i], out);
        }
        if (project->key_hosts.count > 0 && out->count == 0)
                strv_add(out, KEY_HOSTS_NONE);
}
