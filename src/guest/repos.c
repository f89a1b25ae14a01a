#include "guest/repos.h"

#include <sodium.h>

#include "guest/checkout.h"
#include "guest/clone.h"
#include "guest/push.h"
#include "guest/reach.h"
#include "guest/script.h"
#include "guest/setup.h"
#include "lib/file.h"
#include "lib/text.h"

/* May be the first session of a new guest: on a busy computer in software emulation, that alone takes a minute. */
#define LOOK_TIMEOUT_MS 180000
#define PUSH_TIMEOUT_MS (60 * 60 * 1000)
#define WORK_TIMEOUT_MS (10 * 60 * 1000) /* as a busy computer and a guest with many files may need */
#define RECEIVING       "receiving"
#define NAMES_SHOWN     5

static bool is_checkout(const struct project_repo *repo)
{
        return streq(repo->url, ".");
}

/* The checkout that is pushed in when the guest lacks it. */
struct pushing {
        const struct project_repo *repo; /* NULL = the project has no "." */
        struct checkout checkout;
        const char *run;       /* part of the name of the folder in which repos are made */
        struct error *trouble; /* why the checkout can't be pushed; NULL = it can */
        bool unreadable;       /* … because it is not a repository that we can read */
        struct event_sink *events;
        bool begun; /* the guest has begun to take it in */
        bool plain; /* it has no lock file that asks for something */
};

static void pushing_clear(struct pushing *pushing)
{
        checkout_clear(&pushing->checkout);
        error_free(pushing->trouble);
}

static void add_names(const struct project *project, struct strv *args)
{
        for (size_t i = 0; i < project->repo_count; i++)
                strv_add(args, project->repos[i].name);
}

static void add_push(const struct pushing *pushing, const struct push *push, struct strv *args)
{
        const struct checkout *checkout = &pushing->checkout;

        strv_adds(args, "--push", pushing->run, pushing->repo->name, checkout->branch ? checkout->branch : "", checkout->format,
                  checkout->head ? checkout->head : "", NULL);
        strv_addf(args, "%zu", push->shallow);
        strv_addf(args, "%zu", push->head.len - push->shallow);
        strv_add(args, push->refs.buf);
}

static void on_look_line(const char *line, void *data)
{
        struct pushing *pushing = data;

        if (pushing->begun || !streq(line, RECEIVING))
                return;
        pushing->begun = true;
        event_begin(pushing->events, "push", "pushing '%s' into the VM", pushing->checkout.folder);
}

/* Returns the next line of `*text`, and moves `*text` past it. Owned by the caller. */
static char *take_line(const char **text)
{
        size_t length = strcspn(*text, "\n");
        char *line = xstrndup(*text, length);

        *text += length + ((*text)[length] == '\n');
        return line;
}

static int read_answers(const struct vm *vm, const struct project *project, const char *text, struct pushing *pushing,
                        bool *missing, struct error **err)
{
        for (size_t i = 0; i < project->repo_count; i++) {
                _cleanup_(freep) char *answer = take_line(&text), *asked = NULL;

                if (streq(answer, RECEIVING) && is_checkout(&project->repos[i])) {
                        asked = take_line(&text);
                        pushing->plain = streq(asked, "plain");
                        missing[i] = true;
                        continue;
                }
                missing[i] = streq(answer, "missing");
                if (streq(answer, "taken")) {
                        error_set(err, ERROR_STEP, "'~/code/%s' in VM '%s' is not a git repository", project->repos[i].name,
                                  vm->name);
                        return error_hint(err, "machine run %s -- sh -c 'mv ~/code/%s ~/%s.old'", vm->name,
                                          project->repos[i].name, project->repos[i].name);
                }
                if (!missing[i] && !streq(answer, "have"))
                        return error_set(err, ERROR_STEP, "VM '%s' did not say whether it has '%s'", vm->name,
                                         project->repos[i].name);
        }
        return 0;
}

/* Asks the guest in one session which repos are there, and sets missing[i] for each. */
static int look(const struct vm *vm, const struct project *project, struct pushing *pushing, bool *missing, struct error **err)
{
        const struct process_spec how = { .input = "", .timeout_ms = LOOK_TIMEOUT_MS };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        add_names(project, &args);
        if (script_feed(&(struct session){ .vm = vm }, "repos-look.sh", &args, NULL, &how, &out, err) < 0)
                return error_wrap(err, "cannot see which repos VM '%s' has", vm->name);
        return read_answers(vm, project, out.buf, pushing, missing, err);
}

static int push_failed(const struct pushing *pushing, const struct vm *vm, struct error **err)
{
        error_wrap(err, "cannot push '%s' into VM '%s'", pushing->checkout.folder, vm->name);
        if (repository_is_partial(&pushing->checkout.repository))
                error_hint(err, "it is a partial clone, whose objects are not all here: use a clone without --filter");
        return error_set_kind(err, ERROR_STEP);
}

/* Does the same, and pushes the checkout in by the same session when the guest lacks it. */
static int look_and_push(const struct vm *vm, const struct project *project, struct pushing *pushing, bool *missing,
                         struct error **err)
{
        _cleanup_(push_clear) struct push push = PUSH_INIT;
        _cleanup_(error_freep) struct error *packing = NULL, *session = NULL;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT, find = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        struct process_spec how = { .timeout_ms = PUSH_TIMEOUT_MS, .on_line = on_look_line, .on_line_data = pushing };

        if (script_text(SETUP_FIND, &find, err) < 0)
                return -1;
        if (push_begin(&pushing->checkout, &push, err) < 0)
                return push_failed(pushing, vm, err);
        add_push(pushing, &push, &args);
        add_names(project, &args);
        how.input = push.head.buf;
        how.input_length = push.head.len;
        how.then_fd = push.pack_fd;
        script_feed(&(struct session){ .vm = vm }, "repos-look.sh", &args, find.buf, &how, &out, &session);
        /* When the guest wanted no pack, an error of the packer doesn't matter. */
        if (pushing->begun)
                push_end(&push, &packing);
        if (packing || session) {
                error_give(err, packing ? TAKE_PTR(packing) : TAKE_PTR(session));
                return push_failed(pushing, vm, err);
        }
        return read_answers(vm, project, out.buf, pushing, missing, err);
}

/* Fails when the VM has no way to a repo's host, before the guest waits for a time-out. Lists all such repos. */
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
        return error_give(err, errors);
}

/* Tells what the push didn't bring. The code is there by now, so it is only a warning when this can't be found out. */
static void note_left_behind(const struct checkout *checkout, struct event_sink *events)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strv_clear) struct strv files = STRV_INIT;

        if (checkout_list_uncommitted(checkout, &files, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                event_warning(events, "%s", text);
        } else if (files.count > 0) {
                _cleanup_(freep) char *names = text_first_of(&files, NAMES_SHOWN);
                bool one = files.count == 1;

                event_note(events, "%zu uncommitted file%s in '%s' stay%s behind, because only commits go into the VM: %s",
                           files.count, one ? "" : "s", checkout->folder, one ? "s" : "", names);
        }
        if (checkout->has_submodules)
                event_note(events, "the submodules of '%s' stay behind: git submodule update --init brings them into the VM",
                           checkout->folder);
}

/* Looks at the checkout of the repo ".", if there is one. What is wrong with it counts only when it has to be pushed. */
static int prepare(const struct vm *vm, const struct project *project, struct pushing *out, struct error **err)
{
        for (size_t i = 0; i < project->repo_count && !out->repo; i++)
                if (is_checkout(&project->repos[i]))
                        out->repo = &project->repos[i];
        if (!out->repo)
                return 0;
        if (!project->checkout)
                return error_at(err, project->file, out->repo->line, out->repo->column,
                                "'.' stands for the checkout, and project '%s' has none", project->name);
        out->unreadable = checkout_look(project->checkout, &out->checkout, &out->trouble) < 0;
        if (!out->unreadable)
                (void)checkout_check_remote(project->checkout, vm, out->repo->name, &out->trouble);
        return 0;
}

int repos_check(const struct vm *vm, const struct project *project, struct error **err)
{
        _cleanup_(pushing_clear) struct pushing pushing = { .checkout = CHECKOUT_INIT };

        if (prepare(vm, project, &pushing, err) < 0)
                return -1;
        if (!pushing.trouble)
                return 0;
        if (!pushing.trouble->file && project->file) {
                set_string(&pushing.trouble->file, xstrdup(project->file));
                pushing.trouble->line = pushing.repo->line;
                pushing.trouble->column = pushing.repo->column;
        }
        return error_give(err, TAKE_PTR(pushing.trouble));
}

/* A VM that has the code goes on without its checkout's repository. Only the remote can't be kept up to date then. */
static int set_remote(const struct vm *vm, const struct project *project, const struct pushing *pushing, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;

        if (checkout_set_remote(project->checkout, vm, pushing->repo->name, &reason) == 0)
                return 0;
        if (!pushing->unreadable)
                return error_give(err, TAKE_PTR(reason));
        text = error_text(reason);
        event_warning(pushing->events, "commits can't be fetched from VM '%s': %s", vm->name, text);
        return 0;
}

/*
 * A VM that is being made lacks its code, so it gets the checkout by the session that asks. For any other VM the question comes
 * first, because packing takes time. The remote is also set when the repo is there: a run may have been killed between the two.
 */
static int fill_checkout(const struct vm *vm, const struct project *project, struct pushing *pushing, bool *missing,
                         struct error **err)
{
        bool wanted = vm->record.intent == INTENT_SETUP && !pushing->trouble;
        int status = 0;

        if (!wanted) {
                if (look(vm, project, pushing, missing, err) < 0)
                        return -1;
                wanted = missing[pushing->repo - project->repos];
        }
        if (wanted && pushing->trouble)
                return error_give(err, TAKE_PTR(pushing->trouble));
        if (wanted)
                status = look_and_push(vm, project, pushing, missing, err);
        if (pushing->begun)
                event_end(pushing->events, "push", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        if (status < 0 || set_remote(vm, project, pushing, err) < 0)
                return -1;
        if (pushing->begun)
                note_left_behind(&pushing->checkout, pushing->events);
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

void repos_brought_clear(struct repos_brought *brought)
{
        strv_clear(&brought->names);
        strv_clear(&brought->plain);
}

int repos_fill(struct vm *vm, const struct project *project, struct repos_brought *brought, struct event_sink *events,
               struct error **err)
{
        _cleanup_(freep) bool *missing = xcalloc(project->repo_count + 1, sizeof(*missing));
        _cleanup_(freep) char *run = xasprintf("%08x%08x", randombytes_random(), randombytes_random());
        _cleanup_(pushing_clear) struct pushing pushing = { .checkout = CHECKOUT_INIT, .run = run, .events = events };

        if (project->repo_count == 0)
                return 0;
        if (prepare(vm, project, &pushing, err) < 0)
                return -1;
        session_warm_await(vm);
        if ((pushing.repo ? fill_checkout(vm, project, &pushing, missing, err) : look(vm, project, &pushing, missing, err)) <
                    0 ||
            check_reach(project, missing, err) < 0)
                return -1;
        if (fill_clones(vm, project, missing, run, events, err) < 0)
                return -1;
        for (size_t i = 0; i < project->repo_count; i++)
                if (missing[i])
                        strv_add(&brought->names, project->repos[i].name);
        if (pushing.repo && pushing.plain)
                strv_add(&brought->plain, pushing.repo->name);
        return 0;
}

/* Takes out of the reported work what the checkout on the host has too: it would not be lost. */
static int forgive(const char *checkout, struct work *work, struct error **err)
{
        _cleanup_(strv_clear) struct strv commits = STRV_INIT, safe = STRV_INIT;

        work_commits(work, &commits);
        if (checkout_find_commits(checkout, &commits, &safe, err) < 0)
                return -1;
        work_forgive(work, &safe);
        return 0;
}

int repos_find_work(const struct vm *vm, const char *checkout, struct work *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf report = STRBUF_INIT;
        _cleanup_(work_clear) struct work found = WORK_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        strv_add(&args, "look");
        if (script_run(&(struct session){ .vm = vm }, "work.sh", &args, NULL, WORK_TIMEOUT_MS, NULL, NULL, &report, err) < 0 ||
            work_parse(report.buf, report.len, &found, err) < 0)
                return error_wrap(err, "cannot see what work VM '%s' holds", vm->name);
        if (checkout && file_is_folder(checkout) && forgive(checkout, &found, err) < 0)
                return -1;
        *out = found;
        found = (struct work)WORK_INIT;
        return 0;
}

int repos_rename(const struct vm *vm, const char *checkout, const char *former, struct error **err)
{
        return checkout_move_remote(checkout, vm, former, err);
}

int repos_withdraw(const struct vm *vm, const char *checkout, struct error **err)
{
        return checkout_withdraw_remote(checkout, vm, err);
}
