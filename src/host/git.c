#include "host/git.h"

#include <sys/wait.h>

#include "lib/text.h"

#define GIT_TIMEOUT_MS 60000
#define NO_REPOSITORY  "/dev/null"

void git_clear(struct git *git)
{
        strv_clear(&git->argv);
        strv_clear(&git->environment);
}

/* Adds everything except git's own variables, which may come from a git that runs us in another repository. */
static void add_environment(struct git *git)
{
        _cleanup_(strv_clear) struct strv all = STRV_INIT;

        process_environment(&all, NULL);
        for (size_t i = 0; i < all.count; i++)
                if (!starts_with(all.items[i], "GIT_") || starts_with(all.items[i], "GIT_EXEC_PATH="))
                        strv_add(&git->environment, all.items[i]);
}

/* Replaces all variables NAME=… by the given one; removes them when `value` is NULL. */
static void set_variable(struct git *git, const char *name, const char *value)
{
        _cleanup_(freep) char *beginning = xasprintf("%s=", name);

        for (size_t i = git->environment.count; i-- > 0;)
                if (starts_with(git->environment.items[i], beginning))
                        strv_remove(&git->environment, i);
        if (value)
                strv_addf(&git->environment, "%s%s", beginning, value);
}

void git_init(struct git *git, const char *view)
{
        static const char *const variables[][2] = {
                { "GIT_CONFIG_NOSYSTEM", "1" },   { "GIT_CONFIG_GLOBAL", "/dev/null" }, { "GIT_ATTR_NOSYSTEM", "1" },
                { "GIT_ALLOW_PROTOCOL", "none" }, { "GIT_NO_LAZY_FETCH", "1" },         { "GIT_NO_REPLACE_OBJECTS", "1" },
                { "GIT_OPTIONAL_LOCKS", "0" },    { "GIT_TERMINAL_PROMPT", "0" },       { "LC_ALL", "C" },
        };

        add_environment(git);
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                set_variable(git, variables[i][0], variables[i][1]);
        set_variable(git, "GIT_DIR", view ? view : NO_REPOSITORY);
        git->spec.folder = view ? view : "/";
        git->spec.timeout_ms = GIT_TIMEOUT_MS;
        strv_adds(&git->argv, "git", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "--no-pager", NULL);
        git->command = git->argv.count;
}

void git_use_settings(struct git *git)
{
        static const char *const variables[] = { "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM" };

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                set_variable(git, variables[i], getenv(variables[i]));
}

void git_use_quarantine(struct git *git, const char *folder)
{
        _cleanup_(freep) char *objects = xasprintf("%s/objects", git->spec.folder);

        set_variable(git, "GIT_OBJECT_DIRECTORY", folder);
        set_variable(git, "GIT_ALTERNATE_OBJECT_DIRECTORIES", objects);
}

void git_use_work_tree(struct git *git, const char *folder)
{
        set_variable(git, "GIT_WORK_TREE", folder);
        git->spec.folder = folder;
}

static void prepare(struct git *git)
{
        git->spec.argv = strv_argv(&git->argv);
        git->spec.environment = strv_argv(&git->environment);
}

int git_check(struct git *git, struct strbuf *out, struct error **err)
{
        prepare(git);
        if (process_check(&git->spec, out, err) < 0)
                return -1;
        if (out)
                strbuf_trim_end(out);
        return 0;
}

int git_lines(struct git *git, struct strv *out, struct error **err)
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

int git_start(struct git *git, pid_t *pid, struct error **err)
{
        prepare(git);
        return process_spawn(&git->spec, pid, err);
}

int git_ask(struct git *git, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        prepare(git);
        if (process_run(&git->spec, &result, err) < 0)
                return -1;
        if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) > 1) {
                _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

                process_quote(&said, &result.err);
                return error_set(err, ERROR_FAILED, "git %s failed: %s", git->argv.items[git->command], said.buf);
        }
        strbuf_add(out, result.out.buf, result.out.len);
        strbuf_trim_end(out);
        return WEXITSTATUS(result.status);
}
