#include "guest/clone.h"

#include "guest/advice.h"
#include "guest/known_hosts.h"
#include "guest/reach.h"
#include "guest/script.h"
#include "guest/transcript.h"
#include "lib/said.h"
#include "lib/text.h"

#define CLONE_TIMEOUT_MS (2 * 60 * 60 * 1000)

/* One clone as the guest reports it. */
struct clone {
        const struct project_repo *repo;
        struct transcript said; /* git's lines, without its progress */
        bool ended;
        int64_t status;
};

struct clones {
        struct clone *items;
        size_t count;
        struct event_sink *events;
};

static void clones_clear(struct clones *clones)
{
        for (size_t i = 0; i < clones->count; i++)
                transcript_clear(&clones->items[i].said);
        free(clones->items);
}

/* Progress is only shown; the other lines are kept for the error. */
static bool is_progress(const char *line)
{
        return strstr(line, "% (") != NULL;
}

static void on_said(struct clones *clones, struct clone *clone, const char *text)
{
        _cleanup_(freep) char *visible = text_said_dup(text);
        _cleanup_(freep) char *line = xasprintf("%s: %s", clone->repo->name, visible);

        if (*visible == '\0')
                return;
        event_line(clones->events, line);
        if (!is_progress(visible))
                transcript_add(&clone->said, visible);
}

/* "NUMBER said LINE" or "NUMBER ended STATUS"; anything else is noise from the login, and is skipped. */
static void on_line(const char *line, void *data)
{
        struct clones *clones = data;
        size_t digits = strcspn(line, " ");
        _cleanup_(freep) char *number_text = xstrndup(line, digits);
        const char *rest = line + digits;
        struct clone *clone;
        int64_t number;

        if (text_parse_int(number_text, 0, (int64_t)clones->count - 1, &number) < 0)
                return;
        clone = &clones->items[number];
        if (starts_with(rest, " said "))
                on_said(clones, clone, rest + strlen(" said "));
        else if (starts_with(rest, " ended "))
                clone->ended = text_parse_int(rest + strlen(" ended "), 0, 255, &clone->status) == 0;
}

char *clone_hint(const struct project *project, const struct remote *remote, const char *said)
{
        if (strstr(said, "Host key verification failed")) {
                _cleanup_(freep) char *command = remote_ssh_command(remote);

                return xasprintf("connect to it once from this computer: %s", command);
        }
        if (strstr(said, "Permission denied (publickey") || strstr(said, "Permission denied, please try again"))
                return project->forward_agent ? xstrdup("ssh-add -l lists the keys that your agent offers")
                                              : xasprintf("set 'forward_agent = true' for project '%s'", project->name);
        if (strstr(said, "could not read Username") || strstr(said, "terminal prompts disabled"))
                return xasprintf("use the ssh URL of the repo: git@%s:OWNER/REPO.git", remote->host ? remote->host : "HOST");
        return NULL;
}

/* What the reason may be, when git doesn't say it clearly. NULL = nothing is known. Owned by the caller. */
static char *guess_hint(const struct vm *vm, const struct project *project, const struct remote *remote,
                        const struct strbuf *said)
{
        _cleanup_(freep) char *again = xasprintf("machine up %s", vm->name);
        char *hint = advice_on_trust(said->buf, said->len, again);
        enum address_class class;

        /* The resolver may have needed longer than repos_fill() gave it. */
        if (!hint && !project->lan && remote->host && reach_needs_lan(remote->host, deadline_in(REACH_TIMEOUT_MS), &class))
                hint = xasprintf("set 'lan = true' for project '%s'", project->name);
        if (!hint && !streq(project->egress, "open"))
                hint = xasprintf("machine egress %s shows what was refused; allow = [\"@git\"] allows the hosts of the repos",
                                 vm->name);
        return hint;
}

/* Adds the hint, and names the log when git said more than the error does. */
static void add_hint(const struct vm *vm, const struct project *project, const struct clone *clone, struct error **err)
{
        const struct strbuf *said = &clone->said.text;
        _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
        _cleanup_(freep) char *name = xasprintf("clone-%s", clone->repo->name);
        _cleanup_(freep) char *hint = NULL, *log = NULL, *shown = NULL;

        remote_parse(clone->repo->url, &remote);
        hint = clone_hint(project, &remote, said->buf);
        if (hint) {
                error_hint(err, "%s", hint);
                return;
        }
        hint = guess_hint(vm, project, &remote, said);
        if (transcript_has_more(&clone->said))
                log = transcript_keep(&clone->said, vm, name);
        shown = log ? text_shell_path(log) : NULL;
        if (hint || log)
                error_hint(err, "%s%s%s%s", hint ? hint : "", hint && log ? "; all that git said: " : "", log ? "less " : "",
                           log ? shown : "");
        if (!hint && advice_broke_off(vm, said->buf, said->len))
                error_passes(err, SAID_BROKEN_OFF_PASSES);
}

static void add_failure(const struct vm *vm, const struct project *project, const struct clone *clone, struct error **errors)
{
        _cleanup_(freep) char *why = transcript_why(&clone->said);
        _cleanup_(freep) char *url = remote_shown(clone->repo->url);
        struct error *error = NULL;

        error_set(&error, ERROR_STEP, "cannot clone '%s' in VM '%s': %s", url, vm->name,
                  *why           ? why
                  : clone->ended ? "git gave no reason"
                                 : "git was cut off");
        add_hint(vm, project, clone, &error);
        if (!clone->ended)
                error_passes(&error, ADVICE_CUT_OFF_PASSES);
        error_append(errors, error);
}

/* The host keys that the guest needs, as an assignment for repos-clone.sh. */
static int add_known_hosts(const struct project_repo *const *repos, size_t count, struct strbuf *out, bool *ssh,
                           struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf lines = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv hosts = STRV_INIT;

        for (size_t i = 0; i < count; i++) {
                _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
                _cleanup_(freep) char *host = NULL;

                remote_parse(repos[i]->url, &remote);
                if (!remote.ssh || !remote.host)
                        continue;
                *ssh = true;
                host = remote_known_host(&remote);
                if (!strv_contains(&hosts, host))
                        strv_take(&hosts, TAKE_PTR(host));
        }
        if (known_hosts_collect(&hosts, &lines, err) < 0)
                return -1;
        strbuf_adds(out, "known_hosts=");
        text_shell_quote(out, lines.buf);
        strbuf_addc(out, '\n');
        return 0;
}

/* The arguments go with the script, not on ssh's command line: a URL may hold a password, and anybody can list processes. Only
 * RUN is there as well, by which repos-look.sh finds this script. */
static void add_arguments(const struct clones *clones, const char *run, struct strbuf *out)
{
        strbuf_adds(out, "set -- ");
        text_shell_quote(out, run);
        for (size_t i = 0; i < clones->count; i++) {
                strbuf_addc(out, ' ');
                text_shell_quote(out, clones->items[i].repo->name);
                strbuf_addc(out, ' ');
                text_shell_quote(out, clones->items[i].repo->url);
        }
        strbuf_addc(out, '\n');
}

int clone_all(const struct vm *vm, const struct project *project, const struct project_repo *const *repos, size_t count,
              const char *run, struct event_sink *events, struct error **err)
{
        _cleanup_(clones_clear) struct clones clones = { .items = xcalloc(count, sizeof(*clones.items)),
                                                         .count = count,
                                                         .events = events };
        _cleanup_(strbuf_clear) struct strbuf preamble = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        struct session session = { .vm = vm };
        struct error *errors = NULL, *failure = NULL;
        bool ssh = false;
        int status;

        for (size_t i = 0; i < count; i++)
                clones.items[i] = (struct clone){ .repo = repos[i], .said = TRANSCRIPT_INIT };
        if (add_known_hosts(repos, count, &preamble, &ssh, err) < 0)
                return -1;
        add_arguments(&clones, run, &preamble);
        session.forward_agent = ssh && project->forward_agent;
        strv_add(&args, run);
        status =
                script_run(&session, "repos-clone.sh", &args, preamble.buf, CLONE_TIMEOUT_MS, on_line, &clones, NULL, &failure);
        for (size_t i = 0; i < count; i++)
                if (clones.items[i].ended ? clones.items[i].status != 0 : status == 0)
                        add_failure(vm, project, &clones.items[i], &errors);
        if (failure)
                error_append(&errors, failure);
        return error_give(err, errors);
}
