#include "config/egress.h"

#include "config/remote.h"
#include "lib/egress-rule.h"

#define REPOS "@git"

#define SSH_PORT 22
#define GIT_PORT 9418 /* git-daemon(1) */

const char *const egress_modes[] = { "open", "allow", "none", NULL };
const char *const egress_clients[] = { "@apt", "@npm", "@pip", "@cargo", "@go", NULL };

static bool is_client(const char *text)
{
        for (size_t i = 0; egress_clients[i]; i++)
                if (streq(text, egress_clients[i]))
                        return true;
        return false;
}

int egress_check(const char *text, struct error **err)
{
        struct egress_rule rule;

        if (*text != '@')
                return egress_rule_parse(text, &rule, err);
        if (streq(text, REPOS) || is_client(text))
                return 0;
        error_set(err, ERROR_CONFIG, "there is no '%s'", text);
        return error_hint(err, "\"" REPOS "\" stands for the hosts of the project's repos; \"@apt\", \"@npm\", \"@pip\", "
                               "\"@cargo\" and \"@go\" stand for what these use in the guest");
}

/* The port that git uses when the URL names none; 0 = the web's, which a rule leaves out. */
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

        if (!remote_of_repo(url, &remote))
                return NULL;
        port = remote.port > 0 ? remote.port : usual_port(url, &remote);
        return port > 0 ? xasprintf("%s:%u", remote.host, port) : xstrdup(remote.host);
}

static void add_repos(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(freep) char *text = rule_of(project->repos[i].url);
                struct egress_rule rule;

                /* A rule can't name an IPv6 address, and a guest can't reach one. */
                if (text && egress_rule_parse(text, &rule, NULL) == 0 && !strv_contains(out, text))
                        strv_take(out, TAKE_PTR(text));
        }
}

static void add_once(struct strv *out, const char *rule)
{
        if (!strv_contains(out, rule))
                strv_add(out, rule);
}

/* Appends the rules that `clients` has for that client. */
static void add_client(const struct strv *clients, const char *client, struct strv *out)
{
        size_t length = strlen(client);

        for (size_t i = 0; i < clients->count; i++)
                if (starts_with(clients->items[i], client) && clients->items[i][length] == ' ')
                        add_once(out, clients->items[i] + length + 1);
}

void egress_unanswered(const struct project *project, const struct strv *clients, struct strv *out)
{
        if (!streq(project->egress, "allow"))
                return;
        for (size_t i = 0; i < project->allow.count; i++) {
                _cleanup_(strv_clear) struct strv rules = STRV_INIT;

                if (!is_client(project->allow.items[i]))
                        continue;
                add_client(clients, project->allow.items[i], &rules);
                if (rules.count == 0)
                        add_once(out, project->allow.items[i]);
        }
}

void egress_rules(const struct project *project, const struct strv *clients, struct strv *out)
{
        if (!streq(project->egress, "allow"))
                return;
        for (size_t i = 0; i < project->allow.count; i++) {
                const char *item = project->allow.items[i];

                if (streq(item, REPOS))
                        add_repos(project, out);
                else if (is_client(item))
                        add_client(clients, item, out);
                else
                        add_once(out, item);
        }
}
