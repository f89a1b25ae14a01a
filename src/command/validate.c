#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "config/checkout.h"
#include "config/project.h"
#include "config/recipe-place.h"
#include "config/recipe-schema.h"
#include "config/settings.h"
#include "host/guest-system.h"
#include "lib/file.h"

#define FILE_LIMIT     (1 << 20)
#define REQUIRED_DEPTH 16

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

static void check_profile(const struct checkout_tree *tree, const char *name, const char *file,
                          const struct project_place *place, struct error **mistakes)
{
        _cleanup_(recipe_place_clear) struct recipe_place found = RECIPE_PLACE_INIT;
        struct error *unknown = NULL;

        if (recipe_place_profile(tree, name, &found))
                return;
        recipe_place_unknown(tree, name, file, place->line, place->column, &unknown);
        error_append(mistakes, unknown);
}

/* Appends a mistake for each profile that the project names and that there isn't. One that it inherits is not in its table. */
static void check_profiles(const struct checkout_tree *tree, const struct project *project, struct error **mistakes)
{
        for (size_t i = 0; project->profiles_given && i < project->profiles.count; i++)
                check_profile(tree, project->profiles.items[i], project->file, &project->profile_places[i], mistakes);
}

static int validate_projects(struct context *context, const struct projects *projects, struct error **err)
{
        struct error *mistakes = NULL;

        if (projects->default_profile)
                check_profile(NULL, projects->default_profile, projects->file, &projects->default_profile_place, &mistakes);
        for (size_t i = 0; i < projects->count; i++)
                check_profiles(NULL, &projects->items[i], &mistakes);
        if (!mistakes && file_exists(projects->file))
                said_valid(context, projects->file);
        return error_give(err, mistakes);
}

static int validate_checkout(struct context *context, const char *checkout, const struct projects *projects, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        struct error *mistakes = NULL;

        if (checkout_read(checkout, projects, &project, err) < 0)
                return -1;
        /* When its profiles can't be read, that is the mistake. */
        if (checkout_tree_read(checkout, &tree, NULL) == 0)
                check_profiles(&tree, &project, &mistakes);
        if (!mistakes)
                said_valid(context, project.file);
        return error_give(err, mistakes);
}

/* Adds profile `name`, after the profiles that it requires. */
static void add_required(const struct checkout_tree *tree, const char *name, struct strv *profiles, int depth)
{
        _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;
        _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (strv_contains(profiles, name) || depth > REQUIRED_DEPTH || !recipe_place_profile(tree, name, &place))
                return;
        if (recipe_place_read(&place, NULL, &text, NULL, NULL) == 0 &&
            recipe_source_parse(text.buf, text.len, place.file, true, &source, NULL) == 0)
                for (size_t i = 0; i < source.profile.requires.count; i++)
                        add_required(tree, source.profile.requires.items[i], profiles, depth + 1);
        strv_add(profiles, name);
}

/* Checks the base recipe with the profiles, for each architecture. */
static int validate_stack(struct context *context, const struct checkout_tree *tree, const struct strv *profiles,
                          struct error **err)
{
        static const char *const architectures[] = { "amd64", "arm64" };

        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++) {
                _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
                const struct recipe_part *last;

                if (recipe_read(&(struct recipe_wish){ .tree = tree,
                                                       .profiles = profiles,
                                                       .architecture = architectures[i],
                                                       .suite = GUEST_SUITE },
                                &recipe, err) < 0)
                        return -1;
                last = &recipe.parts[recipe.part_count - 1];
                if (i == 0 && !streq(last->origin, "shipped"))
                        said_valid(context, last->file);
        }
        return 0;
}

/* Returns true when one of the profiles is among the `bad` ones. */
static bool is_among(const struct strv *profiles, const struct strv *bad)
{
        for (size_t i = 0; i < profiles->count; i++)
                if (strv_contains(bad, profiles->items[i]))
                        return true;
        return false;
}

/* Checks the base recipe, and each profile with those that it requires. Needs no trust, since nothing in them is acted on. */
static int validate_recipes(struct context *context, const char *checkout, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        const struct checkout_tree *read = checkout ? &tree : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(strv_clear) struct strv bad = STRV_INIT;
        struct error *mistakes = NULL;

        if ((checkout && checkout_tree_read(checkout, &tree, err) < 0) || recipe_place_profiles(read, &names, err) < 0 ||
            validate_stack(context, read, NULL, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(strv_clear) struct strv profiles = STRV_INIT;
                struct error *more = NULL;

                add_required(read, names.items[i], &profiles, 0);
                if (is_among(&profiles, &bad) || validate_stack(context, read, &profiles, &more) == 0)
                        continue;
                strv_add(&bad, names.items[i]);
                error_append(&mistakes, more);
        }
        if (!mistakes)
                return 0;
        *err = mistakes;
        return -1;
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
        if (streq(base, CHECKOUT_FILE)) {
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
        } else if (streq(base, "provision.toml") || streq(base, "profile.toml")) {
                _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;

                if (recipe_source_parse(text.buf, text.len, file, streq(base, "profile.toml"), &source, err) < 0)
                        return -1;
        } else if (streq(base, "machine.lock")) {
                _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

                if (lockfile_parse(text.buf, text.len, file, &lock, err) < 0)
                        return -1;
        } else {
                return projects_parse(text.buf, text.len, file, &projects, err) < 0
                               ? -1
                               : validate_projects(context, &projects, err);
        }
        said_valid(context, file);
        return 0;
}

/* Checks all files even when the first has mistakes, so that one run lists everything there is to fix. */
static int validate_all(struct context *context, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(freep) char *folder = getcwd(NULL, 0);
        _cleanup_(freep) char *checkout = folder ? checkout_find(folder) : NULL;
        struct error *first = NULL, *second = NULL, *third = NULL, *fourth = NULL;

        if (projects_read(&projects, &first) == 0)
                validate_projects(context, &projects, &first);
        if (checkout)
                validate_checkout(context, checkout, &projects, &second);
        validate_settings(context, &third);
        validate_recipes(context, checkout, &fourth);
        if (second)
                error_append(&first, second);
        if (third)
                error_append(&first, third);
        if (fourth)
                error_append(&first, fourth);
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
        .text = "Without FILE: the user's projects.toml and config.toml, the .machine.toml of the current checkout, and the\n"
                "recipes and profiles of both, and that there is each profile that they name. FILE is read according to its name;\n"
                "with any other name as projects.toml.",
        .options = options,
        .options_size = sizeof(struct validate_options),
        .operands_most = 1,
        .run = run,
};
