#include "config/recipe-place.h"

#include <sys/stat.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"

#define FILE_MOST (1 << 20)

void recipe_place_clear(struct recipe_place *place)
{
        if (!place)
                return;
        free(place->folder);
        free(place->file);
        *place = (struct recipe_place)RECIPE_PLACE_INIT;
}

static int found_in_tree(const struct checkout_tree *tree, const char *folder, const char *name, struct recipe_place *out)
{
        _cleanup_(freep) char *relative = *folder ? path_join(folder, name) : xstrdup(name);

        if (!checkout_tree_find(tree, relative))
                return 0;
        *out = (struct recipe_place){
                .tree = tree,
                .folder = xstrdup(folder),
                .file = path_join(tree->folder, relative),
                .origin = "checkout",
        };
        return 1;
}

static int found_on_disk(const char *folder, const char *name, const char *origin, struct recipe_place *out)
{
        _cleanup_(freep) char *file = path_join(folder, name);

        if (!file_exists(file))
                return 0;
        *out = (struct recipe_place){ .folder = xstrdup(folder), .file = TAKE_PTR(file), .origin = origin };
        return 1;
}

int recipe_place_base(const struct checkout_tree *tree, struct recipe_place *out, struct error **err)
{
        _cleanup_(freep) char *config = paths_config(NULL);
        _cleanup_(freep) char *shipped = NULL;
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *resolved = NULL;

        if (found_in_tree(tree, "", "provision.toml", out) || found_on_disk(config, "provision.toml", "user", out))
                return 0;
        shipped = paths_shipped("provision.toml", err);
        if (!shipped)
                return -1;
        folder = path_folder(shipped);
        resolved = realpath(folder, NULL); /* for people to read: no "bin/../share" */
        found_on_disk(resolved ? resolved : folder, "provision.toml", "shipped", out);
        return 0;
}

/* The folder of shipped profiles, or NULL when there is none. */
static char *shipped_profiles(void)
{
        _cleanup_(freep) char *folder = paths_shipped("profiles", NULL);

        return folder ? realpath(folder, NULL) : NULL;
}

bool recipe_place_profile(const struct checkout_tree *tree, const char *name, struct recipe_place *out)
{
        _cleanup_(freep) char *relative = path_join("profiles", name);
        _cleanup_(freep) char *config = paths_config(relative);
        _cleanup_(freep) char *profiles = shipped_profiles();
        _cleanup_(freep) char *shipped = profiles ? path_join(profiles, name) : NULL;

        if (!text_name_valid(name))
                return false;
        return found_in_tree(tree, relative, "profile.toml", out) || found_on_disk(config, "profile.toml", "user", out) ||
               (shipped && found_on_disk(shipped, "profile.toml", "shipped", out));
}

static void add_name(struct strv *names, const char *name)
{
        if (text_name_valid(name) && !strv_contains(names, name))
                strv_add(names, name);
}

static int add_folder(struct strv *names, const char *folder, struct error **err)
{
        _cleanup_(strv_clear) struct strv found = STRV_INIT;

        if (!file_is_folder(folder))
                return 0;
        if (file_list(folder, &found, err) < 0)
                return -1;
        for (size_t i = 0; i < found.count; i++) {
                _cleanup_(freep) char *profile = xasprintf("%s/%s/profile.toml", folder, found.items[i]);

                if (file_exists(profile))
                        add_name(names, found.items[i]);
        }
        return 0;
}

int recipe_place_profiles(const struct checkout_tree *tree, struct strv *names, struct error **err)
{
        _cleanup_(freep) char *config = paths_config("profiles");
        _cleanup_(freep) char *shipped = shipped_profiles();

        for (size_t i = 0; tree && i < tree->count; i++) {
                const char *name = tree->files[i].name;

                if (starts_with(name, "profiles/") && ends_with(name, "/profile.toml")) {
                        _cleanup_(freep) char *folder = path_folder(name);
                        _cleanup_(freep) char *base = path_base(folder);

                        add_name(names, base);
                }
        }
        if (add_folder(names, config, err) < 0 || (shipped && add_folder(names, shipped, err) < 0))
                return -1;
        strv_sort(names);
        return 0;
}

int recipe_place_unknown(const struct checkout_tree *tree, const char *name, const char *file, unsigned line, unsigned column,
                         struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *all = NULL;
        const char *near;

        if (recipe_place_profiles(tree, &names, err) < 0)
                return -1;
        if (file)
                error_at(err, file, line, column, "no profile '%s'", name);
        else
                error_set(err, ERROR_CONFIG, "no profile '%s'", name);
        near = text_suggest(name, strv_argv(&names));
        if (near)
                return error_hint(err, "did you mean '%s'?", near);
        all = strv_join(&names, ", ");
        return names.count > 0 ? error_hint(err, "there are %s; or: machine profile new %s", all, name)
                               : error_hint(err, "machine profile new %s", name);
}

static int read_from_tree(const struct recipe_place *place, const char *name, struct strbuf *out, bool *executable,
                          struct error **err)
{
        _cleanup_(freep) char *relative = *place->folder ? path_join(place->folder, name) : xstrdup(name);
        const struct checkout_file *file = checkout_tree_find(place->tree, relative);

        if (!file) {
                error_set(err, ERROR_NOT_FOUND, "'%s/%s' is not there", place->tree->folder, relative);
                return error_hint(
                        err, "trust covers only provision.toml and what is below profiles/, and a recipe can only use these");
        }
        strbuf_add(out, file->content.buf, file->content.len);
        if (executable)
                *executable = file->executable;
        return 0;
}

int recipe_place_read(const struct recipe_place *place, const char *name, struct strbuf *out, bool *executable,
                      struct error **err)
{
        _cleanup_(freep) char *base = path_base(place->file);
        _cleanup_(freep) char *path = NULL;
        struct stat status;

        if (!name)
                name = base;
        if (place->tree)
                return read_from_tree(place, name, out, executable, err);
        path = path_join(place->folder, name);
        if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
                return error_set(err, ERROR_FAILED, "'%s' is not a file", path);
        if (file_read(path, FILE_MOST, out, err) < 0)
                return -1;
        if (executable)
                *executable = stat(path, &status) == 0 && (status.st_mode & 0111) != 0;
        return 0;
}
