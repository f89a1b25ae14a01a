#include "host/repository.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/git.h"
#include "lib/file.h"
#include "lib/text.h"

#define SETTINGS_MOST (1 << 20)
#define POINTER_MOST  8192 /* a file that holds one path */

void repository_clear(struct repository *repository)
{
        nest_clear(&repository->nest);
        free(repository->view);
        free(repository->top);
        free(repository->folder);
        free(repository->common);
        free(repository->around);
        strv_clear(&repository->settings);
        *repository = (struct repository)REPOSITORY_INIT;
}

/* --- where it is */

enum repository_kind repository_kind(const char *folder, const char *name)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        struct stat status;

        if (lstat(path, &status) < 0)
                return errno == ENOENT || errno == ENOTDIR ? KIND_NOTHING : KIND_OTHER;
        return S_ISREG(status.st_mode) ? KIND_FILE : S_ISDIR(status.st_mode) ? KIND_FOLDER : KIND_OTHER;
}

/* The nearest folder with ".git" from `start` upwards, on the same file system. NULL = none. Owned by the caller. */
static char *find_top(const char *start)
{
        _cleanup_(freep) char *at = xstrdup(start);
        struct stat first, status;

        if (stat(at, &first) < 0)
                return NULL;
        while (stat(at, &status) == 0 && status.st_dev == first.st_dev) {
                if (repository_kind(at, ".git") != KIND_NOTHING)
                        return TAKE_PTR(at);
                if (streq(at, "/"))
                        return NULL;
                set_string(&at, path_folder(at));
        }
        return NULL;
}

/* Resolves the path `name`, relative to `base`; NULL = it leads to nothing. Owned by the caller. */
static char *resolve(const char *base, const char *name)
{
        _cleanup_(freep) char *path = *name == '/' ? xstrdup(name) : path_join(base, name);

        return realpath(path, NULL);
}

/* Resolves the path in the file FOLDER/name, after `prefix`; NULL = it leads to nothing. Owned by the caller. */
static char *read_pointer(const char *folder, const char *name, const char *prefix)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (repository_kind(folder, name) != KIND_FILE || file_read(path, POINTER_MOST, &text, NULL) < 0)
                return NULL;
        strbuf_trim_end(&text);
        return starts_with(text.buf, prefix) ? resolve(folder, text.buf + strlen(prefix)) : NULL;
}

static int leads_elsewhere(const struct repository *repository, struct error **err)
{
        _cleanup_(freep) char *quoted = text_shell_join((const char *const[]){ repository->top, NULL });

        error_set(err, ERROR_CONFIG, "'%s/.git' leads to a repository that doesn't name this folder as its work tree",
                  repository->top);
        return error_hint(err, "if you moved it, in its main repository: git worktree repair %s; otherwise make a clone",
                          quoted);
}

/* Sets `folder` and `common`. 1 = it looks like a repository, 0 = it doesn't, -1 = error. */
static int locate(struct repository *repository, struct error **err)
{
        enum repository_kind kind = repository_kind(repository->top, ".git");

        if (kind == KIND_FOLDER)
                repository->folder = path_join(repository->top, ".git");
        else if (kind == KIND_FILE)
                repository->folder = read_pointer(repository->top, ".git", "gitdir: ");
        if (!repository->folder) {
                leads_elsewhere(repository, err);
                return -1;
        }
        if (kind == KIND_FILE)
                repository->common = read_pointer(repository->folder, "commondir", "");
        if (!repository->common)
                repository->common = xstrdup(repository->folder);
        return repository_kind(repository->folder, "HEAD") != KIND_NOTHING &&
               repository_kind(repository->common, "objects") != KIND_NOTHING &&
               repository_kind(repository->common, "refs") != KIND_NOTHING;
}

/* --- whose it is */

static bool is_inside(const char *path, const char *folder)
{
        return starts_with(path, folder) && path[strlen(folder)] == '/';
}

/*
 * Does the repository that ".git" names know of this work tree? A linked work tree's folder is COMMON/worktrees/NAME and points
 * back here; a submodule's has core.worktree. A repository inside the work tree came with it.
 */
static bool is_acknowledged(const struct repository *repository)
{
        _cleanup_(freep) char *link = path_join(repository->top, ".git");
        _cleanup_(freep) char *worktrees = path_join(repository->common, "worktrees");
        _cleanup_(freep) char *parent = path_folder(repository->folder);
        _cleanup_(freep) char *back = NULL;
        const char *worktree = repository_setting(repository, "core.worktree");

        if (streq(repository->folder, repository->common)) {
                back = worktree ? resolve(repository->folder, worktree) : NULL;
                return streq_ptr(back, repository->top) || is_inside(repository->folder, repository->top);
        }
        back = read_pointer(repository->folder, "gitdir", "");
        return streq(parent, worktrees) && streq_ptr(back, link);
}

/* Does the last commit of a repository further up have `folder`? 1, 0, or -1. */
static int has_folder(struct repository *repository, const char *folder, struct error **err)
{
        _cleanup_(freep) char *object = xasprintf("HEAD:%s", folder + strlen(repository->top) + 1);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;
        int status;

        if (repository_view(repository, err) < 0)
                return -1;
        git_init(&git, repository->view);
        strv_adds(&git.argv, "rev-parse", "--quiet", "--verify", object, NULL);
        status = git_ask(&git, &said, err);
        return status < 0 ? -1 : status == 0;
}

/* --- its configuration */

static int read_settings(struct repository *repository, const char *folder, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;
        enum repository_kind kind = repository_kind(folder, name);

        if (kind == KIND_NOTHING)
                return 0;
        if (kind != KIND_FILE)
                return error_set(err, ERROR_CONFIG, "'%s' is not a file", path);
        git_init(&git, NULL);
        strv_adds(&git.argv, "config", "--file", path, "--no-includes", "--null", "--list", NULL);
        git.spec.output_limit = SETTINGS_MOST;
        if (git_check(&git, &said, err) < 0)
                return error_wrap(err, "cannot read '%s'", path);
        for (const char *item = said.buf; item < said.buf + said.len; item += strlen(item) + 1)
                strv_add(&repository->settings, item);
        return 0;
}

const char *repository_setting(const struct repository *repository, const char *key)
{
        size_t length = strlen(key);

        for (size_t i = repository->settings.count; i-- > 0;) {
                const char *item = repository->settings.items[i];

                if (starts_with(item, key) && item[length] == '\n')
                        return item + length + 1;
                if (streq(item, key)) /* "[core] bare" */
                        return "true";
        }
        return NULL;
}

bool repository_is_partial(const struct repository *repository)
{
        for (size_t i = 0; i < repository->settings.count; i++) {
                const char *item = repository->settings.items[i];
                size_t key = strcspn(item, "\n");

                if (starts_with(item, "extensions.partialclone\n") ||
                    (starts_with(item, "remote.") && key > strlen(".promisor") &&
                     starts_with(item + key - strlen(".promisor"), ".promisor")))
                        return true;
        }
        return false;
}

static int read_all_settings(struct repository *repository, struct error **err)
{
        const char *more;

        if (read_settings(repository, repository->common, "config", err) < 0)
                return -1;
        more = repository_setting(repository, "extensions.worktreeconfig");
        return more && streq(more, "true") ? read_settings(repository, repository->folder, "config.worktree", err) : 0;
}

int repository_open(const char *folder, struct repository *out, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        _cleanup_(freep) char *start = realpath(folder, NULL);
        int found;

        repository.top = start ? find_top(start) : NULL;
        if (!repository.top)
                return 0;
        found = locate(&repository, err);
        if (found <= 0)
                return found;
        if (read_all_settings(&repository, err) < 0)
                return -1;
        if (repository_kind(repository.top, ".git") == KIND_FILE && !is_acknowledged(&repository))
                return leads_elsewhere(&repository, err);
        found = streq(start, repository.top) ? 1 : has_folder(&repository, start, err);
        if (found == 0)
                out->around = xstrdup(repository.top);
        if (found <= 0)
                return found;
        *out = repository;
        repository = (struct repository)REPOSITORY_INIT;
        return 1;
}

int repository_set(const struct repository *repository, const char *key, const char *value, struct error **err)
{
        _cleanup_(freep) char *path = path_join(repository->common, "config");
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, NULL);
        strv_adds(&git.argv, "config", "--file", path, "--replace-all", key, value, NULL);
        return git_check(&git, NULL, err);
}

int repository_remove_section(const struct repository *repository, const char *section, struct error **err)
{
        _cleanup_(freep) char *path = path_join(repository->common, "config");
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, NULL);
        strv_adds(&git.argv, "config", "--file", path, "--remove-section", section, NULL);
        return git_check(&git, NULL, err);
}
