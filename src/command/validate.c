#include <unistd.h>

#include "command/result.h"
#include "config/project.h"
#include "config/settings.h"
#include "lib/file.h"

#define FILE_LIMIT (1 << 20)

struct validate_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct validate_options),
        { 0 },
};

static void said_valid(struct context *context, const char *file)
{
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s, s:b}", "event", "result", "file", file, "valid", 1));
        else if (!context->quiet)
                printf("%s: valid\n", file);
}

static int validate_checkout(struct context *context, const char *checkout, const struct projects *projects, struct error **err)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;

        if (checkout_read(checkout, projects, &project, err) < 0)
                return -1;
        said_valid(context, project.file);
        return 0;
}

static int validate_settings(struct context *context, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;

        if (settings_read(&settings, err) < 0)
                return -1;
        if (file_exists(settings.file))
                said_valid(context, settings.file);
        return 0;
}

static int validate_file(struct context *context, const char *file, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *base = path_base(file);

        if (file_read(file, FILE_LIMIT, &text, err) < 0)
                return error_set_kind(err, ERROR_FAILED);
        if (streq(base, ".machine.toml")) {
                _cleanup_(freep) char *folder = path_folder(file);
                _cleanup_(freep) char *checkout = realpath(folder, NULL);

                if (!checkout)
                        return error_errno(err, ERROR_FAILED, "cannot resolve '%s'", folder);
                return validate_checkout(context, checkout, &projects, err);
        }
        if (streq(base, "config.toml")) {
                _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;

                if (settings_parse(text.buf, text.len, file, &settings, err) < 0)
                        return -1;
        } else if (projects_parse(text.buf, text.len, file, &projects, err) < 0) {
                return -1;
        }
        said_valid(context, file);
        return 0;
}

/* All files are looked at even when the first has mistakes: one run lists all there is to mend. */
static int validate_all(struct context *context, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(freep) char *folder = getcwd(NULL, 0);
        _cleanup_(freep) char *checkout = folder ? checkout_find(folder) : NULL;
        struct error *first = NULL, *second = NULL, *third = NULL;

        if (projects_read(&projects, &first) == 0 && file_exists(projects.file))
                said_valid(context, projects.file);
        if (checkout)
                validate_checkout(context, checkout, &projects, &second);
        validate_settings(context, &third);
        if (second)
                error_append(&first, second);
        if (third)
                error_append(&first, third);
        if (!first)
                return 0;
        *err = first;
        return -1;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *file = invocation_name(invocation);

        return file ? validate_file(context, file, err) : validate_all(context, err);
}

const struct command command_validate = {
        .name = "validate",
        .operands = "[FILE]",
        .summary = "check the configuration, listing every mistake",
        .text = "Without FILE: the user's projects.toml and config.toml, and the .machine.toml of the current checkout.",
        .options = options,
        .options_size = sizeof(struct validate_options),
        .operands_most = 1,
        .run = run,
};
