#include "command/command.h"
#include "command/result.h"
#include "host/paths.h"
#include "lib/file.h"

#define EXAMPLE_LIMIT (1 << 20)

struct init_options {
        struct common_options common;
        bool force;
};

static const struct option options[] = {
        OPTION(struct init_options, force, "force", 'f', OPTION_FLAG, NULL, "replace an existing file"),
        COMMON_OPTIONS(struct init_options),
        { 0 },
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct init_options *given = invocation->options;
        _cleanup_(freep) char *example = paths_shipped("projects.toml", err);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *file = paths_config("projects.toml");
        _cleanup_(freep) char *folder = paths_config(NULL);

        if (!example || file_read(example, EXAMPLE_LIMIT, &text, err) < 0 || file_make_folders(folder, 0700, err) < 0)
                return -1;
        if (!given->force && file_exists(file)) {
                error_set(err, ERROR_FAILED, "'%s' exists", file);
                return error_hint(err, "machine init --force replaces it");
        }
        if (given->force ? file_write(file, text.buf, text.len, 0600, err) < 0
                         : file_write_new(file, text.buf, text.len, 0600, err) < 0)
                return -1;
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s}", "event", "result", "file", file));
        else
                printf("%s\n", file);
        return 0;
}

const struct command command_init = {
        .name = "init",
        .operands = "",
        .summary = "write a commented projects.toml",
        .text = "Writes it into $XDG_CONFIG_HOME/machine and prints its path. An existing file is left as it is.",
        .options = options,
        .options_size = sizeof(struct init_options),
        .operands_most = 0,
        .run = run,
};
