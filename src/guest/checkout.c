#include "guest/checkout.h"

#include <sys/wait.h>

#include "guest/session.h"
#include "lib/process.h"
#include "lib/text.h"

#define GIT_TIMEOUT_MS  60000
#define PUSH_TIMEOUT_MS (60 * 60 * 1000)
#define TRACKING        "refs/remotes/machine/"

void checkout_clear(struct checkout *checkout)
{
        if (!checkout)
                return;
        free(checkout->folder);
        free(checkout->head);
        free(checkout->branch);
        free(checkout->format);
        *checkout = (struct checkout)CHECKOUT_INIT;
}

/* A run of git in the checkout. Order: git_init, strv_adds to argv, git_check or git_ask, git_clear. */
struct git {
        struct strv argv, environment;
        struct process_spec spec;
        size_t command; /* index in argv of what git is to do */
};

#define GIT_INIT                                                                                                               \
        {                                                                                                                      \
                .argv = STRV_INIT, .environment = STRV_INIT                                                                    \
        }

static void git_clear(struct git *git)
{
        strv_clear(&git->argv);
        strv_clear(&git->environment);
}

/* `ssh`: the command for a remote, NULL where none is reached. */
static void git_init(struct git *git, const char *folder, const char *ssh)
{
        _cleanup_(freep) char *command = ssh ? xasprintf("GIT_SSH_COMMAND=%s", ssh) : NULL;
        /* Where `machine` is itself run by git (an alias, a hook), git's variables name another repository. */
        const char *const overrides[] = {
                "GIT_DIR",
                "GIT_WORK_TREE",
                "GIT_INDEX_FILE",
                "GIT_OBJECT_DIRECTORY",
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                "GIT_COMMON_DIR",
                "GIT_NAMESPACE",
                "GIT_PREFIX",
                "GIT_SSH",
                "GIT_TERMINAL_PROMPT=0",
                "GIT_OPTIONAL_LOCKS=0",
                "GIT_SSH_VARIANT=ssh",
                "LC_ALL=C",
                command ? command : "GIT_SSH_COMMAND",
                NULL,
        };

        process_environment(&git->environment, overrides);
        strv_adds(&git->argv, "git", "-C", folder, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "--no-pager",
                  NULL);
        git->command = git->argv.count;
}

static void git_prepare(struct git *git)
{
        git->spec.argv = strv_argv(&git->argv);
        git->spec.environment = strv_argv(&git->environment);
        if (git->spec.timeout_ms == 0)
                git->spec.timeout_ms = GIT_TIMEOUT_MS;
}

/* Wants exit status 0. The output without white space at its end; `out` may be NULL. */
static int git_check(struct git *git, struct strbuf *out, struct error **err)
{
        git_prepare(git);
        if (process_check(&git->spec, out, err) < 0)
                return -1;
        if (out)
                strbuf_trim_end(out);
        return 0;
}

/* The exit status, for questions that git answers by it. -1 with an error when it is neither 0 nor 1. */
static int git_ask(struct git *git, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        git_prepare(git);
        if (process_run(&git->spec, &result, err) < 0)
                return -1;
        if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) > 1) {
                _cleanup_(freep) char *said = text_visible_dup(result.err.buf);

                return error_set(err, ERROR_FAILED, "git %s failed: %s", git->argv.items[git->command], said);
        }
        strbuf_add(out, result.out.buf, result.out.len);
        strbuf_trim_end(out);
        return WEXITSTATUS(result.status);
}

static int not_a_checkout(const char *folder, struct error **err)
{
        error_wrap(err, "'%s' is no git repository that repos = [\".\"] could push", folder);
        error_set_kind(err, ERROR_CONFIG);
        return error_hint(err, "git -C %s init", folder);
}

static int look_head(struct checkout *checkout, struct error **err)
{
        _cleanup_(git_clear) struct git head = GIT_INIT, branch = GIT_INIT;
        _cleanup_(strbuf_clear) struct strbuf commit = STRBUF_INIT, name = STRBUF_INIT;
        int status;

        git_init(&head, checkout->folder, NULL);
        strv_adds(&head.argv, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", NULL);
        status = git_ask(&head, &commit, err);
        if (status < 0)
                return -1;
        if (status == 0)
                checkout->head = strbuf_take(&commit);

        git_init(&branch, checkout->folder, NULL);
        strv_adds(&branch.argv, "symbolic-ref", "--quiet", "HEAD", NULL);
        status = git_ask(&branch, &name, err);
        if (status < 0)
                return -1;
        if (status == 0 && starts_with(name.buf, "refs/heads/"))
                checkout->branch = xstrdup(name.buf + strlen("refs/heads/"));
        return 0;
}

static int look_content(struct checkout *checkout, struct error **err)
{
        _cleanup_(git_clear) struct git refs = GIT_INIT, modules = GIT_INIT;
        _cleanup_(strbuf_clear) struct strbuf ref = STRBUF_INIT, module = STRBUF_INIT;

        git_init(&refs, checkout->folder, NULL);
        strv_adds(&refs.argv, "for-each-ref", "--count=1", "--format=%(refname)", "refs/heads", "refs/tags", NULL);
        if (git_check(&refs, &ref, err) < 0)
                return -1;
        checkout->has_branches = ref.len > 0;
        if (!checkout->head)
                return 0;
        git_init(&modules, checkout->folder, NULL);
        strv_adds(&modules.argv, "ls-tree", "--full-tree", "--name-only", checkout->head, "--", ".gitmodules", NULL);
        if (git_check(&modules, &module, err) < 0)
                return -1;
        checkout->has_submodules = module.len > 0;
        return 0;
}

int checkout_look(const char *folder, struct checkout *out, struct error **err)
{
        _cleanup_(checkout_clear) struct checkout checkout = { .folder = xstrdup(folder) };
        _cleanup_(strbuf_clear) struct strbuf format = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, folder, NULL);
        strv_adds(&git.argv, "rev-parse", "--show-object-format", NULL);
        if (git_check(&git, &format, err) < 0)
                return not_a_checkout(folder, err);
        checkout.format = strbuf_take(&format);
        if (look_head(&checkout, err) < 0 || look_content(&checkout, err) < 0)
                return error_wrap(err, "cannot look at the checkout '%s'", folder);
        *out = checkout;
        checkout = (struct checkout)CHECKOUT_INIT;
        return 0;
}

int checkout_count_uncommitted(const struct checkout *checkout, size_t *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf status = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;
        size_t count = 0;

        git_init(&git, checkout->folder, NULL);
        strv_adds(&git.argv, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal",
                  "--ignore-submodules=dirty", NULL);
        if (git_check(&git, &status, err) < 0)
                return error_wrap(err, "cannot look for uncommitted files in '%s'", checkout->folder);
        for (size_t i = 0; i < status.len; i++)
                count += status.buf[i] == '\0';
        *out = count;
        return 0;
}

static void on_push_line(const char *line, void *data)
{
        _cleanup_(freep) char *visible = text_visible_dup(line);

        event_line(data, visible);
}

int checkout_push(const struct checkout *checkout, const struct vm *vm, const char *path, struct event_sink *events,
                  struct error **err)
{
        _cleanup_(freep) char *ssh = session_git_ssh(vm);
        _cleanup_(freep) char *alias = vm_alias(vm->name);
        _cleanup_(git_clear) struct git git = GIT_INIT;

        if (!checkout->has_branches && !checkout->head)
                return 0;
        git_init(&git, checkout->folder, ssh);
        /* What the person set for their own remotes isn't meant for this one. */
        strv_adds(&git.argv, "-c", "push.recurseSubmodules=no", "-c", "push.gpgSign=false", "-c", "push.pushOption=", "push",
                  "--no-verify", "--porcelain", "--", NULL);
        strv_addf(&git.argv, "%s:%s", alias, path);
        if (checkout->has_branches)
                strv_adds(&git.argv, "refs/heads/*:refs/heads/*", "refs/tags/*:refs/tags/*", NULL);
        if (!checkout->branch)
                strv_addf(&git.argv, "%s:refs/machine/head", checkout->head);
        git.spec.timeout_ms = PUSH_TIMEOUT_MS;
        git.spec.on_line = on_push_line;
        git.spec.on_line_data = events;
        if (git_check(&git, NULL, err) < 0) {
                error_wrap(err, "cannot push '%s' into VM '%s'", checkout->folder, vm->name);
                return error_set_kind(err, ERROR_STEP);
        }
        return 0;
}

static char *remote_url(const struct vm *vm, const char *name)
{
        _cleanup_(freep) char *alias = vm_alias(vm->name);

        return xasprintf("%s:code/%s", alias, name);
}

/* 1 = the remote "machine" is there, its URL in *url; 0 = it isn't. */
static int get_remote(const char *folder, struct strbuf *url, struct error **err)
{
        _cleanup_(git_clear) struct git git = GIT_INIT;
        int status;

        git_init(&git, folder, NULL);
        /* Of this repository alone: what a global configuration says of such a remote is not ours to judge. */
        strv_adds(&git.argv, "config", "--local", "--get", "remote.machine.url", NULL);
        status = git_ask(&git, url, err);
        return status < 0 ? -1 : status == 0;
}

/* 1 = it is as it must be, 0 = there is none, -1 = it is another's. */
static int compare_remote(const char *folder, const struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf url = STRBUF_INIT;
        _cleanup_(freep) char *wanted = remote_url(vm, name);
        int found = get_remote(folder, &url, err);

        if (found <= 0 || streq(url.buf, wanted))
                return found;
        error_set(err, ERROR_FAILED, "'%s' has a remote 'machine' already, with the URL '%s' instead of '%s'", folder, url.buf,
                  wanted);
        return error_hint(err, "git -C %s remote rename machine OTHER", folder);
}

int checkout_check_remote(const char *folder, const struct vm *vm, const char *name, struct error **err)
{
        return compare_remote(folder, vm, name, err) < 0 ? -1 : 0;
}

int checkout_set_remote(const char *folder, const struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(freep) char *url = remote_url(vm, name);
        _cleanup_(git_clear) struct git git = GIT_INIT;
        int found = compare_remote(folder, vm, name, err);

        if (found != 0)
                return found < 0 ? -1 : 0;
        git_init(&git, folder, NULL);
        strv_adds(&git.argv, "remote", "add", "--no-tags", "--", "machine", url, NULL);
        if (git_check(&git, NULL, err) < 0)
                return error_wrap(err, "cannot add the remote 'machine' to '%s'", folder);
        return 0;
}

/* Appends the lines of what git prints. */
static int git_lines(struct git *git, struct strv *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (git_check(git, &text, err) < 0)
                return -1;
        for (const char *line = text.buf; *line;) {
                size_t length = strcspn(line, "\n");

                if (length > 0)
                        strv_take(out, xstrndup(line, length));
                line += length + (line[length] == '\n');
        }
        return 0;
}

/* Deletes a tracking branch whose commits another ref has too. */
static int drop_tracking(const char *folder, const char *ref, struct error **err)
{
        _cleanup_(git_clear) struct git alone = GIT_INIT, drop = GIT_INIT;
        _cleanup_(strbuf_clear) struct strbuf count = STRBUF_INIT;

        git_init(&alone, folder, NULL);
        strv_adds(&alone.argv, "rev-list", "--count", ref, "--not", "--exclude=" TRACKING "*", "--all", "--", NULL);
        if (git_check(&alone, &count, err) < 0)
                return -1;
        if (!streq(count.buf, "0"))
                return 0;
        git_init(&drop, folder, NULL);
        strv_adds(&drop.argv, "update-ref", "-d", "--", ref, NULL);
        return git_check(&drop, NULL, err);
}

int checkout_withdraw_remote(const char *folder, const struct vm *vm, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf url = STRBUF_INIT;
        _cleanup_(git_clear) struct git refs = GIT_INIT, section = GIT_INIT;
        _cleanup_(strv_clear) struct strv tracking = STRV_INIT;
        _cleanup_(freep) char *ours = remote_url(vm, "");
        int found = get_remote(folder, &url, err);

        if (found <= 0)
                return found;
        if (!starts_with(url.buf, ours))
                return 0;
        git_init(&section, folder, NULL);
        strv_adds(&section.argv, "config", "--local", "--remove-section", "remote.machine", NULL);
        git_init(&refs, folder, NULL);
        strv_adds(&refs.argv, "for-each-ref", "--format=%(refname)", TRACKING, NULL);
        if (git_check(&section, NULL, err) < 0 || git_lines(&refs, &tracking, err) < 0)
                return error_wrap(err, "cannot take the remote 'machine' out of '%s'", folder);
        for (size_t i = 0; i < tracking.count; i++)
                if (drop_tracking(folder, tracking.items[i], err) < 0)
                        return error_wrap(err, "cannot take the remote 'machine' out of '%s'", folder);
        return 0;
}

/* Those of `commits` that the object store has; `input` becomes them, one a line. */
static int existing(const char *folder, const struct strv *commits, struct strv *out, struct strbuf *input, struct error **err)
{
        _cleanup_(freep) char *asked = strv_join(commits, "\n");
        _cleanup_(strv_clear) struct strv answers = STRV_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, folder, NULL);
        /* A promisor remote would otherwise be asked for each of them. */
        strv_add(&git.environment, "GIT_NO_LAZY_FETCH=1");
        strv_adds(&git.argv, "cat-file", "--batch-check=%(objecttype) %(objectname)", NULL);
        git.spec.input = asked;
        git.spec.input_length = strlen(asked);
        if (git_lines(&git, &answers, err) < 0)
                return -1;
        for (size_t i = 0; i < answers.count; i++)
                if (starts_with(answers.items[i], "commit ")) {
                        const char *id = answers.items[i] + strlen("commit ");

                        strv_add(out, id);
                        strbuf_addf(input, "%s\n", id);
                }
        return 0;
}

int checkout_find_commits(const char *folder, const struct strv *commits, struct strv *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv there = STRV_INIT, unreached = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf input = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        if (commits->count == 0)
                return 0;
        if (existing(folder, commits, &there, &input, err) < 0)
                return error_wrap(err, "cannot look for the guest's commits in '%s'", folder);
        if (there.count == 0)
                return 0;
        git_init(&git, folder, NULL);
        /* --not counts for what comes behind it, so not for the commits. */
        strv_adds(&git.argv, "rev-list", "--stdin", "--not", "--all", NULL);
        git.spec.input = input.buf;
        git.spec.input_length = input.len;
        if (git_lines(&git, &unreached, err) < 0)
                return error_wrap(err, "cannot look for the guest's commits in '%s'", folder);
        strv_sort(&unreached);
        for (size_t i = 0; i < there.count; i++)
                if (!strv_contains(&unreached, there.items[i]))
                        strv_add(out, there.items[i]);
        return 0;
}
