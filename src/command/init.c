#include <unistd.h>

#include "command/command.h"
#include "command/offer-prompt.h"
#include "command/result.h"
#include "config/project.h"
#include "host/paths.h"
#include "lib/file.h"
#include "operation/starter.h"

#define FILE_LIMIT (1 << 20)

struct init_options {
        struct common_options common;
        bool force, projects;
};

static const struct option options[] = {
        OPTION(struct init_options, force, "force", 'f', OPTION_FLAG, NULL, "replace an existing file, and keep a copy of it"),
        OPTION(struct init_options, projects, "projects", 'p', OPTION_FLAG, NULL, "write projects.toml, also in a checkout"),
        COMMON_OPTIONS(struct init_options),
        { 0 },
};

/* Keeps a copy of what is about to be replaced, under a name that nothing has. *kept stays NULL when there is nothing to keep.
 */
static int keep(const char *file, const struct strbuf *replacement, char **kept, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *copy = xasprintf("%s.old", file);

        if (!file_exists(file))
                return 0;
        if (file_read(file, FILE_LIMIT, &text, err) < 0)
                return error_wrap(err, "cannot keep a copy of '%s'", file);
        if (text.len == replacement->len && memcmp(text.buf, replacement->buf, text.len) == 0)
                return 0;
        for (int number = 2; file_exists(copy); number++)
                set_string(&copy, xasprintf("%s.old-%d", file, number));
        if (file_write_new(copy, text.buf, text.len, 0600, err) < 0)
                return -1;
        *kept = TAKE_PTR(copy);
        return 0;
}

static int refuse(const char *file, const char *more, struct error **err)
{
        error_set(err, ERROR_FAILED, "'%s' exists", file);
        return error_hint(err, "machine init --force replaces it, and keeps a copy%s", more);
}

static void say(struct context *context, const char *file, const char *kept)
{
        if (kept)
                event_note(context->front.events, "what was there before is kept as '%s'", kept);
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s, s:s?}", "event", "result", "file", file, "kept", kept));
        else
                printf("%s\n", file);
}

static int write_projects(struct context *context, bool force, struct error **err)
{
        _cleanup_(freep) char *example = paths_shipped("projects.toml", err);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *file = paths_config("projects.toml");
        _cleanup_(freep) char *folder = paths_config(NULL);
        _cleanup_(freep) char *kept = NULL;

        if (!example || file_read(example, FILE_LIMIT, &text, err) < 0 || file_make_folders(folder, 0700, err) < 0)
                return -1;
        if (!force && file_exists(file))
                return refuse(file, "", err);
        if (force && keep(file, &text, &kept, err) < 0)
                return -1;
        if (force ? file_write(file, text.buf, text.len, 0600, err) < 0
                  : file_write_new(file, text.buf, text.len, 0600, err) < 0)
                return -1;
        say(context, file, kept);
        return 0;
}

static int write_checkout(struct context *context, const struct starter *starter, bool force, struct error **err)
{
        _cleanup_(freep) char *kept = NULL;

        if (!force && starter->is_there)
                return refuse(starter->file, "; machine init --projects writes projects.toml", err);
        if (force && keep(starter->file, &starter->text, &kept, err) < 0)
                return -1;
        if (offer_write(context, starter, force, err) < 0)
                return -1;
        say(context, starter->file, kept);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct init_options *given = invocation->options;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(starter_clear) struct starter starter = STARTER_INIT;
        int found = 0;

        /* What is wrong with projects.toml is said by the commands that need it. */
        if (!given->projects) {
                (void)projects_read_apart(&projects, NULL);
                found = starter_find(".", &projects, &starter, err);
        }
        if (found < 0)
                return -1;
        return found ? write_checkout(context, &starter, given->force, err) : write_projects(context, given->force, err);
}

const struct command command_init = {
        .name = "init",
        .operands = "",
        .summary = "write a first .machine.toml, or a commented projects.toml",
        .text = "In a checkout it writes .machine.toml: the name from the folder, the profiles from files such as go.mod, and\n"
                "repos = [\".\"] for a git repository. That file is then trusted, unless a recipe lies beside it. Elsewhere it writes\n"
                "projects.toml into $XDG_CONFIG_HOME/machine. Prints the path. An existing file is left as it is.",
        .options = options,
        .options_size = sizeof(struct init_options),
        .operands_most = 0,
        .run = run,
};
