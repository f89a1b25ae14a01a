#include "guest/lend.h"

#include <sys/wait.h>

#include "config/remote.h"
#include "host/agent.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"

#define ASK_TIMEOUT_MS 10000

/* Returns the configuration for `ssh -F`: tests have their own, and then the system's doesn't count. NULL = what ssh reads by
 * itself. */
static char *configuration(void)
{
        const char *set = getenv("MACHINE_SSH_DIR");
        _cleanup_(freep) char *file = set && *set ? paths_ssh("config") : NULL;

        return !file || file_exists(file) ? TAKE_PTR(file) : xstrdup("none");
}

/* Lists what ssh takes as IdentityFile for that host, by the configuration in `file` (NULL = the user's). */
static bool list_identities(const struct remote *remote, const char *file, struct strv *out)
{
        static const char keyword[] = "identityfile ";
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        char *save = NULL;

        strv_adds(&argv, "ssh", "-G", NULL);
        if (file)
                strv_adds(&argv, "-F", file, NULL);
        if (remote->port > 0)
                strv_addf(&argv, "-p%u", remote->port);
        if (remote->user)
                strv_adds(&argv, "-l", remote->user, NULL);
        strv_adds(&argv, "--", remote->host, NULL);
        if (process_run(&(struct process_spec){ .argv = strv_argv(&argv), .timeout_ms = ASK_TIMEOUT_MS }, &result, NULL) < 0 ||
            !WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0 || result.out.len == 0)
                return false;
        for (char *line = strtok_r(result.out.buf, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (starts_with(line, keyword))
                        strv_add(out, line + strlen(keyword));
        return true;
}

/* Returns the fingerprint of an identity: from the file itself when it is a public key's, else from the public key's file
 * beside it. A private key is never read. */
static char *mark_of(const char *identity)
{
        _cleanup_(freep) char *path = ends_with(identity, ".pub") ? xstrdup(identity) : xasprintf("%s.pub", identity);
        _cleanup_(freep) char *option = *path == '/' || starts_with(path, "~/") ? agent_key_option(path, NULL) : NULL;

        return option ? xstrdup(option + strlen("--key=")) : NULL;
}

/* Returns false when the configuration names no identity for that host, so that ssh tries its `usual` ones, and when it names
 * one whose public key is missing. */
static bool add_identities(const struct remote *remote, const struct strv *usual, struct strv *out)
{
        _cleanup_(freep) char *file = configuration();
        _cleanup_(strv_clear) struct strv identities = STRV_INIT;

        if (!list_identities(remote, file, &identities) || strv_equal(&identities, usual))
                return false;
        for (size_t i = 0; i < identities.count; i++) {
                _cleanup_(freep) char *mark = mark_of(identities.items[i]);

                if (!mark)
                        return false;
                if (!strv_contains(out, mark))
                        strv_add(out, mark);
        }
        return identities.count > 0;
}

void lend_choose(const struct project *project, const char *signing_key, struct strv *out)
{
        _cleanup_(freep) char *signing = signing_key ? agent_fingerprint(signing_key) : NULL;
        _cleanup_(strv_clear) struct strv usual = STRV_INIT;
        _cleanup_(strv_clear) struct strv marks = STRV_INIT;

        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;

                if (!remote_of_repo(project->repos[i].url, &remote) || !remote.ssh)
                        continue;
                /* The usual ones are the same for every host. */
                if ((usual.count == 0 && !list_identities(&remote, "none", &usual)) || !add_identities(&remote, &usual, &marks))
                        return;
        }
        if (marks.count == 0)
                return;
        if (signing && !strv_contains(&marks, signing))
                strv_take(&marks, TAKE_PTR(signing));
        strv_add_all(out, &marks);
}
