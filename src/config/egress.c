#include "config/egress.h"

#include "config/remote.h"
#include "lib/egress-rule.h"

#define REPOS "@git"

#define SSH_PORT 22
#define GIT_PORT 9418 /* git-daemon(1) */

const char *const egress_modes[] = { "open", "allow", "none", NULL };

int egress_check(const char *text, struct error **err)
{
        struct egress_rule rule;

        if (*text != '@')
                return egress_rule_parse(text, &rule, err);
        if (streq(text, REPOS))
                return 0;
        error_set(err, ERROR_CONFIG, "there is no '%s'", text);
        return error_hint(err, "\"" REPOS "\" stands for the hosts of the project's repos");
}

/* The port that git takes where the URL names none; 0 = the web's, which a rule leaves out. */
static uint16_t usual_port(const char *url, const struct remote *remote)
{
        if (remote->ssh)
                return SSH_PORT;
        return starts_with(url, "git://") ? GIT_PORT : 0;
}

static char *rule_of(const char *url)
{
        _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
        uint16_t port;

        if (repo_url_check(url, NULL, NULL) < 0)
                return NULL;
        remote_parse(url, &remote);
        if (!remote.host)
                return NULL;
        port = remote.port > 0 ? remote.port : usual_port(url, &remote);
        return port > 0 ? xasprintf("%s:%u", remote.host, port) : xstrdup(remote.host);
}

static void add_repos(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(freep) char *text = rule_of(project->repos[i].url);
                struct egress_rule rule;

                /* An IPv6 address is nothing that a rule could name, and nothing that a guest reaches. */
                if (text && egress_rule_parse(text, &rule, NULL) == 0 && !strv_contains(out, text))
                        strv_take(out, TAKE_PTR(text));
        }
}

void egress_rules(const struct project *project, struct strv *out)
{
        if (!streq(project->egress, "allow"))
                return;
        for (size_t i = 0; i < project->allow.count; i++) {
                if (streq(project->allow.items[i], REPOS))
                        add_repos(project, out);
                else if (!strv_contains(out, project->allow.items[i]))
                        strv_add(out, project->allow.items[i]);
        }
}
