#include "config/egress.h"

#include "lib/egress-rule.h"
#include "lib/text.h"

#define REPOS "@git"

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

/* What git takes where a URL says no port; 0 = the web's. `[user@]host:path` is ssh. */
static const struct {
        const char *scheme;
        uint16_t port;
} schemes[] = {
        { "https://", 0 }, { "http://", 0 }, { "git://", 9418 }, { "ssh://", 22 }, { "git+ssh://", 22 }, { "", 22 },
};

static char *rule_of(const char *url, const char *host)
{
        size_t i = 0;
        const char *authority;
        const char *colon;
        int64_t port;

        while (!starts_with(url, schemes[i].scheme))
                i++;
        port = schemes[i].port;
        authority = url + strlen(schemes[i].scheme);
        if (*schemes[i].scheme) {
                _cleanup_(freep) char *whole = xstrndup(authority, strcspn(authority, "/"));

                colon = strrchr(whole, ':');
                if (colon && text_parse_int(colon + 1, 1, UINT16_MAX, &port) < 0)
                        port = schemes[i].port;
        }
        return port > 0 ? xasprintf("%s:%jd", host, (intmax_t)port) : xstrdup(host);
}

static void add_repos(const struct project *project, struct strv *out)
{
        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(freep) char *host = NULL;
                _cleanup_(freep) char *text = NULL;
                struct egress_rule rule;

                if (repo_url_check(project->repos[i].url, &host, NULL) < 0 || !host)
                        continue;
                text = rule_of(project->repos[i].url, host);
                /* A host in brackets or of a file's URL is nothing that a rule could name. */
                if (egress_rule_parse(text, &rule, NULL) == 0 && !strv_contains(out, text))
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
