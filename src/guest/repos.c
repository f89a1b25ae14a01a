#include "guest/repos.h"

#include <sodium.h>

#include "guest/checkout.h"
#include "guest/clone.h"
#include "guest/reach.h"
#include "guest/script.h"
#include "guest/work.h"
#include "lib/file.h"

/* The first session of a guest that was just started; on a busy computer in software emulation that alone takes a minute. */
#define LOOK_TIMEOUT_MS 180000
#define WORK_TIMEOUT_MS 180000

static bool is_checkout(const struct project_repo *repo)
{
        return streq(repo->url, ".");
}

/* Asks the guest which repos are there; missing[i] says it for each. One round trip. */
static int look(const struct vm *vm, const struct project *project, bool *missing, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const char *line;

        for (size_t i = 0; i < project->repo_count; i++)
                strv_add(&names, project->repos[i].name);
        if (script_run(&(struct session){ .vm = vm }, "repos-look.sh", &names, NULL, LOOK_TIMEOUT_MS, NULL, NULL, &out, err) <
            0)
                return error_wrap(err, "cannot see which repos VM '%s' has", vm->name);
        line = out.buf;
        for (size_t i = 0; i < project->repo_count; i++) {
                size_t length = strcspn(line, "\n");
                _cleanup_(freep) char *answer = xstrndup(line, length);

                line += length + (line[length] == '\n');
                missing[i] = streq(answer, "missing");
                if (streq(answer, "taken")) {
                        error_set(err, ERROR_STEP, "'~/code/%s' in VM '%s' is no git repository", project->repos[i].name,
                                  vm->name);
                        return error_hint(err, "machine run %s -- mv ~/code/%s ~/%s.old", vm->name, project->repos[i].name,
                                          project->repos[i].name);
                }
                if (!missing[i] && !streq(answer, "have"))
                        return error_set(err, ERROR_STEP, "VM '%s' did not say whether it has '%s'", vm->name,
                                         project->repos[i].name);
        }
        return 0;
}

/* Where the VM has no way to a repo's host, says so before the guest waits for a time-out. All of them are listed. */
static int check_reach(const struct project *project, const bool *missing, struct error **err)
{
        deadline limit = deadline_in(REACH_TIMEOUT_MS);
        struct error *errors = NULL;

        for (size_t i = 0; i < project->repo_count && !project->lan; i++) {
                const struct project_repo *repo = &project->repos[i];
                _cleanup_(remote_clear) struct remote remote = REMOTE_INIT;
                _cleanup_(freep) char *url = NULL;
                struct error *error = NULL;
                enum address_class class;

                if (!missing[i] || is_checkout(repo))
                        continue;
                remote_parse(repo->url, &remote);
                if (!remote.host || !reach_needs_lan(remote.host, limit, &class))
                        continue;
                url = remote_shown(repo->url);
                error_at(&error, project->file, repo->line, repo->column,
                         "repo '%s' is on a %s address, which project '%s' does not let its VM reach", url,
                         address_class_name(class), project->name);
                error_hint(&error, "set 'lan = true' for project '%s'", project->name);
                error_append(&errors, error);
        }
        if (!errors)
                return 0;
        if (err)
                *err = errors;
        else
                error_free(errors);
        return -1;
}

static int push(const struct vm *vm, const struct project_repo *repo, const struct checkout *checkout, const char *run,
                struct event_sink *events, struct error **err)
{
        const struct session session = { .vm = vm };
        _cleanup_(freep) char *path = xasprintf("code/.partial.%s/%s", run, repo->name);
        _cleanup_(strv_clear) struct strv begin = STRV_INIT, finish = STRV_INIT;

        /* With a detached HEAD, a branch that the push doesn't bring, so that nothing is checked out twice. */
        strv_adds(&begin, "begin", run, repo->name, checkout->branch ? checkout->branch : "machine-none", checkout->format,
                  NULL);
        strv_adds(&finish, "finish", run, repo->name, checkout->head ? checkout->head : "", NULL);
        if (script_run(&session, "repos-push.sh", &begin, NULL, LOOK_TIMEOUT_MS, NULL, NULL, NULL, err) < 0 ||
            checkout_push(checkout, vm, path, events, err) < 0 ||
            script_run(&session, "repos-push.sh", &finish, NULL, WORK_TIMEOUT_MS, NULL, NULL, NULL, err) < 0)
                return error_wrap(err, "cannot bring '%s' into VM '%s'", checkout->folder, vm->name);
        return 0;
}

/* What the push didn't bring. The code is there by now: not knowing this is no failure. */
static void note_left_behind(const struct checkout *checkout, struct event_sink *events)
{
        _cleanup_(error_freep) struct error *error = NULL;
        size_t count;

        if (checkout_count_uncommitted(checkout, &count, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                event_warning(events, "%s", text);
        } else if (count > 0) {
                event_note(events, "%zu uncommitted file%s in '%s' stay%s behind: only commits go into the VM", count,
                           count == 1 ? "" : "s", checkout->folder, count == 1 ? "s" : "");
        }
        if (checkout->has_submodules)
                event_note(events, "the submodules of '%s' stay behind: git submodule update --init brings them into the VM",
                           checkout->folder);
}

/* The remote is also set where the repo is there: a run may have been killed between the two. */
static int fill_checkout(const struct vm *vm, const struct project *project, const struct project_repo *repo, bool missing,
                         const char *run, struct event_sink *events, struct error **err)
{
        _cleanup_(checkout_clear) struct checkout checkout = CHECKOUT_INIT;
        int status;

        if (!project->checkout)
                return error_at(err, project->file, repo->line, repo->column, "'.' names a checkout, and project '%s' has none",
                                project->name);
        if (!missing)
                return checkout_set_remote(project->checkout, vm, repo->name, err);
        if (checkout_look(project->checkout, &checkout, err) < 0 ||
            checkout_check_remote(project->checkout, vm, repo->name, err) < 0)
                return -1;
        event_begin(events, "push", "pushing '%s' into the VM", project->checkout);
        status = push(vm, repo, &checkout, run, events, err);
        event_end(events, "push", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        if (status < 0 || checkout_set_remote(project->checkout, vm, repo->name, err) < 0)
                return -1;
        note_left_behind(&checkout, events);
        return 0;
}

static int fill_clones(const struct vm *vm, const struct project *project, const bool *missing, const char *run,
                       struct event_sink *events, struct error **err)
{
        const struct project_repo **wanted = xreallocarray(NULL, project->repo_count, sizeof(*wanted));
        _cleanup_(freep) _unused_ void *owner = wanted;
        size_t count = 0;
        int status;

        for (size_t i = 0; i < project->repo_count; i++)
                if (missing[i] && !is_checkout(&project->repos[i]))
                        wanted[count++] = &project->repos[i];
        if (count == 0)
                return 0;
        event_begin(events, "clone", count == 1 ? "cloning '%s'" : "cloning '%s' and %zu more", wanted[0]->name, count - 1);
        status = clone_all(vm, project, wanted, count, run, events, err);
        event_end(events, "clone", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        return status;
}

int repos_fill(const struct vm *vm, const struct project *project, struct strv *brought, struct event_sink *events,
               struct error **err)
{
        _cleanup_(freep) bool *missing = xcalloc(project->repo_count + 1, sizeof(*missing));
        _cleanup_(freep) char *run = NULL;

        if (project->repo_count == 0)
                return 0;
        if (look(vm, project, missing, err) < 0 || check_reach(project, missing, err) < 0)
                return -1;
        run = xasprintf("%08x%08x", randombytes_random(), randombytes_random());
        for (size_t i = 0; i < project->repo_count; i++)
                if (is_checkout(&project->repos[i]) &&
                    fill_checkout(vm, project, &project->repos[i], missing[i], run, events, err) < 0)
                        return -1;
        if (fill_clones(vm, project, missing, run, events, err) < 0)
                return -1;
        for (size_t i = 0; i < project->repo_count; i++)
                if (missing[i] && brought)
                        strv_add(brought, project->repos[i].name);
        return 0;
}

/* Of the work that the guest reports, what the checkout on the host has too is no loss. */
static int forgive(const char *checkout, struct work *work, struct error **err)
{
        _cleanup_(strv_clear) struct strv commits = STRV_INIT, safe = STRV_INIT;

        work_commits(work, &commits);
        if (checkout_find_commits(checkout, &commits, &safe, err) < 0)
                return -1;
        work_forgive(work, &safe);
        return 0;
}

int repos_find_work(const struct vm *vm, const char *checkout, char **work, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;
        _cleanup_(work_clear) struct work found = WORK_INIT;

        if (script_run(&(struct session){ .vm = vm }, "repos-work.sh", NULL, NULL, WORK_TIMEOUT_MS, NULL, NULL, &report, err) <
                    0 ||
            work_parse(report.buf, report.len, &found, err) < 0)
                return error_wrap(err, "cannot see what work VM '%s' holds", vm->name);
        if (checkout && file_is_folder(checkout) && forgive(checkout, &found, err) < 0)
                return -1;
        *work = work_text(&found);
        return 0;
}

int repos_withdraw(const struct vm *vm, const char *checkout, struct error **err)
{
        return checkout_withdraw_remote(checkout, vm, err);
}
