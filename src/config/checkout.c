/* .machine.toml: finding it, reading it, and asking git where its checkout came from. */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "config/project-schema.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"

#define FILE_NAME   ".machine.toml"
#define FILE_MOST   (1 << 20)
#define GIT_WAIT_MS 10000

/* A pipe or a device of that name would be read for ever. A dangling symlink counts: reading it says so. */
static bool is_there(const char *file)
{
        struct stat status;

        return stat(file, &status) == 0 ? S_ISREG(status.st_mode) : file_exists(file);
}

char *checkout_find(const char *folder)
{
        _cleanup_(freep) char *home_given = paths_home(NULL);
        _cleanup_(freep) char *home = realpath(home_given, NULL);
        _cleanup_(freep) char *at = realpath(folder, NULL);

        while (at) {
                _cleanup_(freep) char *file = path_join(at, FILE_NAME);

                if (is_there(file))
                        return TAKE_PTR(at);
                if (streq(at, "/") || streq_ptr(at, home))
                        return NULL;
                set_string(&at, path_folder(at));
        }
        return NULL;
}

/* Where a complaint about the project as a whole points to. */
static void set_place(struct project *project, const struct toml_value *root)
{
        const struct toml_member *member = toml_get(root, "name");

        if (!member && root->member_count > 0)
                member = &root->members[0];
        project->line = member ? member->line : 1;
        project->column = member ? member->column : 1;
}

int checkout_parse(const char *text, size_t length, const char *file, const char *checkout, const struct projects *projects,
                   struct project *out, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(project_clear) struct project project = { .checkout = xstrdup(checkout) };
        _cleanup_(freep) char *folder = path_base(checkout);

        if (!root)
                return -1;
        project_set_defaults(&project, file);
        set_place(&project, root);
        if (!toml_get(root, "name"))
                project.name = text_name_from(folder);
        if (schema_decode(&checkout_schema, root, file, &project, err) < 0)
                return -1;
        if (!project.name) {
                error_at(err, file, 1, 1, "the folder's name '%s' gives no project name", folder);
                return error_hint(err, "set 'name'");
        }
        project_inherit(&project, projects);
        *out = project;
        project = (struct project)PROJECT_INIT;
        return 0;
}

/*
 * git in the checkout, for questions only. What the repository's own configuration could make it run is switched off, a bare
 * repository lying in the checkout as plain files isn't taken for the checkout's, and variables of a git that runs us
 * don't point it elsewhere.
 */
static int ask_git(const char *checkout, const char *const *question, struct process_result *answer, struct error **err)
{
        static const char *const overrides[] = {
                "GIT_DIR",
                "GIT_WORK_TREE",
                "GIT_COMMON_DIR",
                "GIT_INDEX_FILE",
                "GIT_OBJECT_DIRECTORY",
                "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                "GIT_NAMESPACE",
                "GIT_PREFIX",
                "GIT_CONFIG",
                "GIT_TRACE",
                "GIT_TERMINAL_PROMPT=0",
                "GIT_OPTIONAL_LOCKS=0",
                "LC_ALL=C",
                NULL,
        };
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "git", "-C", checkout, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c",
                  "safe.bareRepository=explicit", "--no-pager", NULL);
        for (; *question; question++)
                strv_add(&argv, *question);
        process_environment(&environment, overrides);
        return process_run(&(struct process_spec){ .argv = strv_argv(&argv),
                                                   .environment = strv_argv(&environment),
                                                   .timeout_ms = GIT_WAIT_MS,
                                                   .output_limit = FILE_MOST },
                           answer, err);
}

/* Is the checkout in a git repository? 1, 0, or -1 with an error where git refuses to say. */
static int has_repository(const char *checkout, struct error **err)
{
        static const char *const question[] = { "rev-parse", "--git-dir", NULL };
        _cleanup_(process_result_clear) struct process_result answer = PROCESS_RESULT_INIT;
        _cleanup_(freep) char *said = NULL;

        if (ask_git(checkout, question, &answer, err) < 0)
                return -1;
        if (WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == 0)
                return 1;
        if (strstr(answer.err.buf, "not a git repository"))
                return 0;
        strbuf_trim_end(&answer.err);
        said = xstrndup(answer.err.buf, strcspn(answer.err.buf, "\n"));
        error_set(err, ERROR_FAILED, "git doesn't say where '%s' came from: %s", checkout, said);
        if (strstr(answer.err.buf, "safe.directory")) {
                _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

                text_shell_quote(&quoted, checkout);
                return error_hint(err, "git config --global --add safe.directory %s", quoted.buf);
        }
        return error_hint(err, "set 'repos' in '%s/" FILE_NAME "'", checkout);
}

/* The URL of the remote "origin", or NULL where there is none. Owned by the caller. -1 where git failed. */
static int find_origin(const char *checkout, char **origin, struct error **err)
{
        static const char *const question[] = { "config", "--local", "--get", "remote.origin.url", NULL };
        _cleanup_(process_result_clear) struct process_result answer = PROCESS_RESULT_INIT;
        _cleanup_(freep) char *status = NULL;
        int found = has_repository(checkout, err);

        if (found <= 0) {
                *origin = NULL;
                return found;
        }
        if (ask_git(checkout, question, &answer, err) < 0)
                return -1;
        if (WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == 1) {
                *origin = NULL;
                return 0;
        }
        if (!WIFEXITED(answer.status) || WEXITSTATUS(answer.status) != 0) {
                status = process_status_text(answer.status);
                error_set(err, ERROR_FAILED, "git doesn't say where '%s' came from: %s", checkout, status);
                return error_hint(err, "set 'repos' in '%s/" FILE_NAME "'", checkout);
        }
        if (answer.out.len > 0 && answer.out.buf[answer.out.len - 1] == '\n')
                strbuf_truncate(&answer.out, answer.out.len - 1);
        *origin = strbuf_take(&answer.out);
        return 0;
}

/* A folder of the host, which a VM doesn't reach: as git has it, a slash in front of any colon, or no colon. */
static bool is_folder(const char *origin)
{
        const char *colon = strchr(origin, ':');
        const char *slash = strchr(origin, '/');

        if (*origin == '-')
                return false;
        if (starts_with(origin, "file://"))
                return repo_url_check(origin, NULL, NULL) < 0;
        return !colon || (slash && slash < colon);
}

int checkout_add_origin(struct project *project, struct error **err)
{
        _cleanup_(freep) char *origin = NULL;
        _cleanup_(freep) char *name = NULL;

        if (find_origin(project->checkout, &origin, err) < 0)
                return -1;
        if (!origin || is_folder(origin)) {
                name = repo_checkout_name(project->checkout, project->name);
                project_add_repo(project, ".", name, project->line, project->column);
                return 0;
        }
        if (repo_url_check(origin, NULL, err) < 0) {
                error_wrap(err, "git's origin of '%s' can't be used", project->checkout);
                return error_hint(err, "set 'repos' in '%s'", project->file);
        }
        name = repo_url_name(origin);
        if (!name) {
                error_set(err, ERROR_CONFIG, "git's origin of '%s', '%s', gives no folder name for a clone", project->checkout,
                          origin);
                return error_hint(err, "set 'repos' in '%s'", project->file);
        }
        project_add_repo(project, origin, name, project->line, project->column);
        return 0;
}

int checkout_read(const char *checkout, const struct projects *projects, struct project *out, struct error **err)
{
        _cleanup_(freep) char *resolved = realpath(checkout, NULL);
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *file = NULL;

        if (!resolved)
                return error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED, "cannot find '%s'", checkout);
        file = path_join(resolved, FILE_NAME);
        if (file_read(file, FILE_MOST, &text, err) < 0 ||
            checkout_parse(text.buf, text.len, file, resolved, projects, &project, err) < 0)
                return -1;
        if (!project.repos_given && checkout_add_origin(&project, err) < 0)
                return -1;
        *out = project;
        project = (struct project)PROJECT_INIT;
        return 0;
}
