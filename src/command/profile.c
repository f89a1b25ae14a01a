#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "config/checkout.h"
#include "config/recipe-place.h"
#include "config/recipe-schema.h"
#include "config/trust.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/table.h"

#define FILE_LIMIT (1 << 20)

struct profile_options {
        struct common_options common;
        bool repo, force;
};

static const struct option options[] = {
        OPTION(struct profile_options, repo, "repo", 0, OPTION_FLAG, NULL, "new: write into the current checkout"),
        OPTION(struct profile_options, force, "force", 'f', OPTION_FLAG, NULL, "new: replace an existing profile's files"),
        COMMON_OPTIONS(struct profile_options),
        { 0 },
};

/* Returns the checkout around the current folder, or NULL when there is none. */
static char *current_checkout(void)
{
        _cleanup_(freep) char *folder = getcwd(NULL, 0);

        return folder ? checkout_find(folder) : NULL;
}

/* Reads the files of the current checkout. Leaves `tree` empty unless they are trusted as they are now. */
static int read_trusted_tree(struct checkout_tree *tree, struct error **err)
{
        _cleanup_(freep) char *checkout = current_checkout();
        enum trust trust;

        if (!checkout)
                return 0;
        if (checkout_tree_read(checkout, tree, err) < 0 || checkout_tree_trust(tree, &trust, err) < 0)
                return -1;
        if (trust != TRUST_GIVEN)
                checkout_tree_clear(tree);
        return 0;
}

/* Returns the profile's summary, or NULL when its file has mistakes. Owned by the caller. */
static char *summary_of(const struct recipe_place *place)
{
        _cleanup_(recipe_source_clear) struct recipe_source source = RECIPE_SOURCE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (recipe_place_read(place, NULL, &text, NULL, NULL) < 0 ||
            recipe_source_parse(text.buf, text.len, place->file, true, &source, NULL) < 0)
                return NULL;
        return xstrdup(source.profile.summary);
}

static int list(struct context *context, const struct profile_options *given, const char *name, struct error **err)
{
        static const char *const headings[] = { "NAME", "FROM", "SUMMARY", NULL };
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(table_freep) struct table *table = table_new(headings);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(json_decrefp) json_t *array = json_array();

        if (read_trusted_tree(&tree, err) < 0 || recipe_place_profiles(&tree, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;
                _cleanup_(freep) char *summary = NULL;

                if (!recipe_place_profile(&tree, names.items[i], &place))
                        continue;
                summary = summary_of(&place);
                table_add(table, (const char *const[]){ names.items[i], place.origin,
                                                        summary ? summary : "(has mistakes: machine validate)" });
                json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:s?}", "name", names.items[i], "from", place.origin,
                                                       "file", place.file, "summary", summary));
        }
        result_list(context, json_incref(array), table, "no profiles yet: machine profile new NAME");
        return 0;
}

static int show(struct context *context, const struct profile_options *given, const char *name, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (read_trusted_tree(&tree, err) < 0 || recipe_place_profiles(&tree, &names, err) < 0)
                return -1;
        if (!recipe_place_profile(&tree, name, &place)) {
                const char *near = text_suggest(name, strv_argv(&names));

                error_set(err, ERROR_NOT_FOUND, "no profile '%s'", name);
                return near ? error_hint(err, "did you mean '%s'?", near) : error_hint(err, "machine profile list");
        }
        if (recipe_place_read(&place, NULL, &text, NULL, err) < 0)
                return -1;
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s, s:s, s:s}", "name", name, "from", place.origin, "file", place.file, "text",
                                      text.buf));
        else
                printf("# %s (%s)\n%s", place.file, place.origin, text.buf);
        return 0;
}

/* Returns the folder for a new profile, or NULL with an error. Owned by the caller. */
static char *new_folder(const struct profile_options *given, const char *name, struct error **err)
{
        _cleanup_(freep) char *relative = path_join("profiles", name);
        _cleanup_(freep) char *checkout = given->repo ? current_checkout() : NULL;

        if (!given->repo)
                return paths_config(relative);
        if (checkout)
                return path_join(checkout, relative);
        error_set(err, ERROR_NOT_FOUND, "no .machine.toml in the current folder or above");
        error_hint(err, "an empty file will do: touch .machine.toml");
        return NULL;
}

static int write_file(const struct profile_options *given, const char *folder, const char *name, mode_t mode,
                      struct error **err)
{
        _cleanup_(freep) char *relative = path_join("profile", name);
        _cleanup_(freep) char *from = paths_shipped(relative, err);
        _cleanup_(freep) char *to = path_join(folder, name);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (!from || file_read(from, FILE_LIMIT, &text, err) < 0)
                return -1;
        return given->force ? file_write(to, text.buf, text.len, mode, err) : file_write_new(to, text.buf, text.len, mode, err);
}

static int make(struct context *context, const struct profile_options *given, const char *name, struct error **err)
{
        static const struct {
                const char *name;
                mode_t mode;
        } files[] = { { "profile.toml", 0644 }, { "setup.sh", 0755 } };
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *file = NULL;

        if (project_check_name(name, "profile", err) < 0)
                return -1;
        folder = new_folder(given, name, err);
        if (!folder)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(files) && !given->force; i++) {
                _cleanup_(freep) char *there = path_join(folder, files[i].name);

                if (!file_exists(there))
                        continue;
                error_set(err, ERROR_FAILED, "'%s' exists", there);
                return error_hint(err, "machine profile new %s --force replaces it", name);
        }
        if (file_make_folders(folder, 0755, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (write_file(given, folder, files[i].name, files[i].mode, err) < 0)
                        return -1;
        file = path_join(folder, "profile.toml");
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s}", "event", "result", "file", file));
        else
                printf("%s\n", file);
        return 0;
}

static const struct {
        const char *name;
        bool named;
        int (*run)(struct context *context, const struct profile_options *given, const char *name, struct error **err);
} actions[] = { { "list", false, list }, { "show", true, show }, { "new", true, make } };

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct strv *operands = &invocation->operands;
        const char *action = operands->count > 0 ? operands->items[0] : "list";
        size_t names = operands->count > 1 ? operands->count - 1 : 0;

        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                if (!streq(actions[i].name, action))
                        continue;
                if (names == (actions[i].named ? 1 : 0))
                        return actions[i].run(context, invocation->options, names ? operands->items[1] : NULL, err);
                error_set(err, ERROR_USAGE, actions[i].named ? "'%s' takes the name of a profile" : "'%s' takes no name",
                          action);
                return error_hint(err, "machine profile %s%s", action, actions[i].named ? " NAME" : "");
        }
        error_set(err, ERROR_USAGE, "no action '%s'", action);
        return error_hint(err, "machine profile list, show NAME, or new NAME");
}

const struct command command_profile = {
        .name = "profile",
        .operands = "[list | show NAME | new NAME]",
        .summary = "list, show or create profiles",
        .text = "'list' says where each profile comes from: the current checkout (if it is trusted), the user's configuration\n"
                "folder, or this program. 'show' prints the file that is used. 'new' writes a commented profile with its\n"
                "setup.sh into the configuration folder, or with --repo into the current checkout.",
        .options = options,
        .options_size = sizeof(struct profile_options),
        .operands_most = 2,
        .run = run,
};
