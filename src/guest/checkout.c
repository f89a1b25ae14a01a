#include "guest/checkout.h"

#include "host/git.h"
#include "lib/text.h"

#define TRACKING "refs/remotes/machine/"
#define REMOTE   "remote.machine."

void checkout_clear(struct checkout *checkout)
{
        if (!checkout)
                return;
        repository_clear(&checkout->repository);
        free(checkout->folder);
        free(checkout->head);
        free(checkout->branch);
        free(checkout->format);
        strv_clear(&checkout->refs);
        *checkout = (struct checkout)CHECKOUT_INIT;
}

static int not_a_checkout(const char *folder, const struct repository *repository, struct error **err)
{
        _cleanup_(freep) char *quoted = text_shell_join((const char *const[]){ folder, NULL });

        if (repository->around) {
                error_set(err, ERROR_CONFIG, "'%s' is not in the last commit of '%s', the git repository around it", folder,
                          repository->around);
                return error_hint(err, "commit it there, or: git -C %s init", quoted);
        }
        error_set(err, ERROR_CONFIG, "'%s' is not a git repository, so its code can't be pushed into a VM", folder);
        return error_hint(err, "git -C %s init; or write repos = [] for a VM without this code", quoted);
}

/* repository_open(), but a missing repository is an error. */
static int open_repository(const char *folder, struct repository *out, struct error **err)
{
        int found = repository_open(folder, out, err);

        if (found == 0)
                return not_a_checkout(folder, out, err);
        return found < 0 ? -1 : 0;
}

static int look_head(struct checkout *checkout, struct error **err)
{
        _cleanup_(git_clear) struct git head = GIT_INIT, branch = GIT_INIT;
        _cleanup_(strbuf_clear) struct strbuf commit = STRBUF_INIT, name = STRBUF_INIT;
        int status;

        git_init(&head, checkout->repository.view);
        strv_adds(&head.argv, "rev-parse", "--quiet", "--verify", "HEAD^{commit}", NULL);
        status = git_ask(&head, &commit, err);
        if (status < 0)
                return -1;
        if (status == 0)
                checkout->head = strbuf_take(&commit);

        git_init(&branch, checkout->repository.view);
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
        _cleanup_(strbuf_clear) struct strbuf module = STRBUF_INIT;

        git_init(&refs, checkout->repository.view);
        strv_adds(&refs.argv, "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags", NULL);
        if (git_lines(&refs, &checkout->refs, err) < 0)
                return -1;
        if (!checkout->head)
                return 0;
        git_init(&modules, checkout->repository.view);
        strv_adds(&modules.argv, "ls-tree", "--full-tree", "--name-only", checkout->head, "--", ".gitmodules", NULL);
        if (git_check(&modules, &module, err) < 0)
                return -1;
        checkout->has_submodules = module.len > 0;
        return 0;
}

static int look_format(struct checkout *checkout, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf format = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, checkout->repository.view);
        strv_adds(&git.argv, "rev-parse", "--show-object-format", NULL);
        if (git_check(&git, &format, err) < 0)
                return -1;
        checkout->format = strbuf_take(&format);
        return 0;
}

int checkout_look(const char *folder, struct checkout *out, struct error **err)
{
        _cleanup_(checkout_clear) struct checkout checkout = CHECKOUT_INIT;

        checkout.folder = xstrdup(folder);
        if (open_repository(folder, &checkout.repository, err) < 0)
                return -1;
        if (repository_view(&checkout.repository, err) < 0 || look_format(&checkout, err) < 0 ||
            look_head(&checkout, err) < 0 || look_content(&checkout, err) < 0)
                return error_wrap(err, "cannot look at the checkout '%s'", folder);
        *out = checkout;
        checkout = (struct checkout)CHECKOUT_INIT;
        return 0;
}

int checkout_list_uncommitted(const struct checkout *checkout, struct strv *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf status = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, checkout->repository.view);
        /* The settings say which files the user ignores everywhere, and how lines end. */
        git_use_settings(&git);
        git_use_work_tree(&git, checkout->repository.top);
        strv_adds(&git.argv, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=normal",
                  "--ignore-submodules=all", NULL);
        if (git_check(&git, &status, err) < 0)
                return error_wrap(err, "cannot look for uncommitted files in '%s'", checkout->folder);
        /* "XY NAME", each ended by a NUL: git-status(1), "Porcelain Format Version 1" */
        for (const char *item = status.buf; item < status.buf + status.len; item += strlen(item) + 1)
                if (strlen(item) > 3)
                        strv_add(out, item + 3);
        return 0;
}

/* --- the remote "machine" */

static char *remote_url(const struct vm *vm, const char *name)
{
        _cleanup_(freep) char *alias = vm_alias(vm->name);

        return xasprintf("%s:code/%s", alias, name);
}

/*
 * Returns true when `git fetch machine` may find this setting of the remote (given without "remote.machine."). The URL must be
 * `url`, and what a guest sends must land below refs/remotes/machine/. Any other setting is either a matter of taste or names a
 * program.
 */
static bool is_harmless(const char *setting, const char *url)
{
        static const char *const taste[] = {
                "tagopt\n", "prune\n", "prunetags\n", "skipfetchall\n", "skipdefaultupdate\n", "followremotehead\n"
        };
        const char *to = strrchr(setting, ':');

        if (starts_with(setting, "url\n"))
                return streq(setting + strlen("url\n"), url);
        if (starts_with(setting, "fetch\n"))
                return to && starts_with(to, ":" TRACKING);
        for (size_t i = 0; i < ARRAY_SIZE(taste); i++)
                if (starts_with(setting, taste[i]))
                        return true;
        return false;
}

static int refuse_remote(const struct repository *repository, const char *setting, const char *url, struct error **err)
{
        size_t key = strcspn(setting, "\n");
        const char *value = setting[key] ? setting + key + 1 : "";
        _cleanup_(freep) char *quoted = text_shell_join((const char *const[]){ repository->top, NULL });

        if (starts_with(setting, "url\n"))
                error_set(err, ERROR_FAILED, "'%s' already has a remote 'machine', with the URL '%s' instead of '%s'",
                          repository->top, value, url);
        else
                error_set(err, ERROR_FAILED, "'%s' already has a remote 'machine', with '%.*s = %s', which is not ours",
                          repository->top, (int)key, setting, value);
        return error_hint(err, "git -C %s remote rename machine OTHER", quoted);
}

/* Returns 1 when the remote is as it must be, 0 when it is missing or incomplete, -1 when it is not ours. */
static int compare_remote(const struct repository *repository, const char *url, struct error **err)
{
        for (size_t i = 0; i < repository->settings.count; i++) {
                const char *item = repository->settings.items[i];

                if (starts_with(item, REMOTE) && !is_harmless(item + strlen(REMOTE), url))
                        return refuse_remote(repository, item + strlen(REMOTE), url, err);
        }
        return repository_setting(repository, REMOTE "url") && repository_setting(repository, REMOTE "fetch");
}

int checkout_check_remote(const char *folder, const struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *url = remote_url(vm, name);

        if (open_repository(folder, &repository, err) < 0)
                return -1;
        return compare_remote(&repository, url, err) < 0 ? -1 : 0;
}

int checkout_set_remote(const char *folder, const struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *url = remote_url(vm, name);
        int found;

        if (open_repository(folder, &repository, err) < 0)
                return -1;
        found = compare_remote(&repository, url, err);
        if (found != 0)
                return found < 0 ? -1 : 0;
        if (repository_set(&repository, REMOTE "url", url, err) < 0 ||
            repository_set(&repository, REMOTE "fetch", "+refs/heads/*:" TRACKING "*", err) < 0 ||
            repository_set(&repository, REMOTE "tagOpt", "--no-tags", err) < 0)
                return error_wrap(err, "cannot add the remote 'machine' to '%s'", folder);
        return 0;
}

/* The remote's URL, if it has just one. Borrowed. */
static const char *only_url(const struct repository *repository)
{
        static const char key[] = REMOTE "url\n";
        const char *url = NULL;

        for (size_t i = 0; i < repository->settings.count; i++) {
                const char *item = repository->settings.items[i];

                if (starts_with(item, key) && url)
                        return NULL;
                if (starts_with(item, key))
                        url = item + strlen(key);
        }
        return url;
}

int checkout_move_remote(const char *folder, const struct vm *vm, const char *former, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *alias = vm_alias(former);
        _cleanup_(freep) char *before = xasprintf("%s:code/", alias);
        _cleanup_(freep) char *now = NULL;
        int found = repository_open(folder, &repository, err);
        const char *url;

        if (found <= 0)
                return found;
        url = only_url(&repository);
        if (!url || !starts_with(url, before))
                return 0;
        now = remote_url(vm, url + strlen(before));
        return repository_set(&repository, REMOTE "url", now, err) < 0
                       ? error_wrap(err, "cannot change the remote 'machine' of '%s'", folder)
                       : 0;
}

static int drop(const struct repository *repository, const char *ref, struct error **err)
{
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, repository->view);
        strv_adds(&git.argv, "update-ref", "--no-deref", "-d", "--", ref, NULL);
        return git_check(&git, NULL, err);
}

/* Deletes a tracking branch whose commits another ref has too. `tracking`: "TARGET REF", TARGET empty unless it is symbolic. */
static int drop_tracking(const struct repository *repository, const char *tracking, struct error **err)
{
        const char *ref = strchr(tracking, ' ') + 1;
        _cleanup_(strbuf_clear) struct strbuf count = STRBUF_INIT;
        _cleanup_(git_clear) struct git alone = GIT_INIT;

        if (*tracking != ' ')
                return drop(repository, ref, err);
        git_init(&alone, repository->view);
        strv_adds(&alone.argv, "rev-list", "--count", ref, "--not", "--exclude=" TRACKING "*", "--all", "--", NULL);
        if (git_check(&alone, &count, err) < 0)
                return -1;
        return streq(count.buf, "0") ? drop(repository, ref, err) : 0;
}

static int withdraw(struct repository *repository, struct error **err)
{
        _cleanup_(git_clear) struct git refs = GIT_INIT;
        _cleanup_(strv_clear) struct strv tracking = STRV_INIT;

        if (repository_view(repository, err) < 0 || repository_remove_section(repository, "remote.machine", err) < 0)
                return -1;
        git_init(&refs, repository->view);
        strv_adds(&refs.argv, "for-each-ref", "--format=%(symref) %(refname)", TRACKING, NULL);
        if (git_lines(&refs, &tracking, err) < 0)
                return -1;
        for (size_t i = 0; i < tracking.count; i++)
                if (drop_tracking(repository, tracking.items[i], err) < 0)
                        return -1;
        return 0;
}

int checkout_withdraw_remote(const char *folder, const struct vm *vm, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *ours = remote_url(vm, "");
        int found = repository_open(folder, &repository, err);
        const char *url;

        if (found <= 0)
                return found;
        url = repository_setting(&repository, REMOTE "url");
        if (!url || !starts_with(url, ours))
                return 0;
        return withdraw(&repository, err) < 0 ? error_wrap(err, "cannot remove the remote 'machine' from '%s'", folder) : 0;
}

/* --- which of the guest's commits are here */

/* Adds to `out` those of `commits` that the object store has as commits, and to `others` those that it has as something else;
 * `input` becomes the commits, one a line. */
static int existing(const struct repository *repository, const struct strv *commits, struct strv *out, struct strv *others,
                    struct strbuf *input, struct error **err)
{
        _cleanup_(freep) char *asked = strv_join(commits, "\n");
        _cleanup_(strv_clear) struct strv answers = STRV_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, repository->view);
        strv_adds(&git.argv, "cat-file", "--batch-check=%(objecttype) %(objectname)", NULL);
        git.spec.input = asked;
        git.spec.input_length = strlen(asked);
        if (git_lines(&git, &answers, err) < 0)
                return -1;
        for (size_t i = 0; i < answers.count; i++) {
                const char *answer = answers.items[i], *id = answer + strcspn(answer, " ");

                id += *id == ' ';
                if (starts_with(answer, "commit ")) {
                        strv_add(out, id);
                        strbuf_addf(input, "%s\n", id);
                } else if (starts_with(answer, "tag ") || starts_with(answer, "tree ") || starts_with(answer, "blob ")) {
                        strv_add(others, id);
                }
        }
        return 0;
}

/* Adds to `out` those of `objects` that a ref here leads to. */
static int find_refs(struct repository *repository, const struct strv *objects, struct strv *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv named = STRV_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        if (objects->count == 0)
                return 0;
        git_init(&git, repository->view);
        strv_adds(&git.argv, "for-each-ref", "--format=%(objectname)", NULL);
        if (git_lines(&git, &named, err) < 0)
                return -1;
        for (size_t i = 0; i < objects->count; i++)
                if (strv_contains(&named, objects->items[i]))
                        strv_add(out, objects->items[i]);
        return 0;
}

static int find_commits(struct repository *repository, const struct strv *commits, struct strv *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv there = STRV_INIT, others = STRV_INIT, unreached = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf input = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;

        if (repository_view(repository, err) < 0 || existing(repository, commits, &there, &others, &input, err) < 0 ||
            find_refs(repository, &others, out, err) < 0)
                return -1;
        if (there.count == 0)
                return 0;
        git_init(&git, repository->view);
        /* --not applies to what comes after it, so not to the commits. */
        strv_adds(&git.argv, "rev-list", "--stdin", "--not", "--all", NULL);
        git.spec.input = input.buf;
        git.spec.input_length = input.len;
        if (git_lines(&git, &unreached, err) < 0)
                return -1;
        strv_sort(&unreached);
        for (size_t i = 0; i < there.count; i++)
                if (!strv_contains(&unreached, there.items[i]))
                        strv_add(out, there.items[i]);
        return 0;
}

int checkout_find_commits(const char *folder, const struct strv *commits, struct strv *out, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;

        int found = commits->count > 0 ? repository_open(folder, &repository, err) : 0;

        if (found == 0)
                return 0;
        if (found < 0 || find_commits(&repository, commits, out, err) < 0)
                return error_wrap(err, "cannot look for the guest's commits in '%s'", folder);
        return 0;
}
