/* machine.lock and a recipe: what it says is put in, and every step gets its hash. */
#include "config/recipe-steps.h"
#include "lib/hash.h"

/* How a package is named with a version, for the kinds that have packages. */
static const char *version_mark(enum recipe_kind kind)
{
        switch (kind) {
        case RECIPE_APT:
        case RECIPE_APT_REPO:
                return "=";
        case RECIPE_UV_TOOL:
                return "==";
        case RECIPE_NPM_GLOBAL:
                return "@";
        default:
                return NULL;
        }
}

/* The first character of an npm package may be the '@' of its scope. */
static bool has_version(const char *package, const char *mark)
{
        return *package != '\0' && strstr(package + 1, mark);
}

static void put_versions_in(const struct recipe *recipe, const struct recipe_part *part, struct recipe_step *step,
                            const struct lockfile *lock)
{
        _cleanup_(freep) char *called = xasprintf("%s/%s", part->name, step->id);
        const char *mark = version_mark(step->kind);

        for (size_t v = 0; mark && v < step->value_count; v++) {
                struct strv *items = &step->values[v].items;

                if (!streq(step->values[v].name, "packages"))
                        continue;
                for (size_t i = 0; i < items->count; i++) {
                        const char *version = lockfile_get(lock, recipe->architecture, LOCK_VERSIONS, called, items->items[i]);

                        if (version && !has_version(items->items[i], mark))
                                set_string(&items->items[i], xasprintf("%s%s%s", items->items[i], mark, version));
                }
        }
        /* uv itself has a version beside those of its tools. */
        if (step->kind == RECIPE_UV_TOOL && !recipe_step_value(step, "uv"))
                recipe_step_add_value(step, "uv", lockfile_get(lock, recipe->architecture, LOCK_VERSIONS, called, "uv"));
}

static int put_hash_in(const struct recipe *recipe, const struct recipe_step *step, struct recipe_download *download,
                       const struct lockfile *lock, struct error **err)
{
        const char *locked = lockfile_get(lock, recipe->architecture, LOCK_DOWNLOADS, "", download->url);

        if (locked && download->sha256 && !streq(locked, download->sha256)) {
                error_at(err, step->file, download->line, download->column, "'%s' has sha256 %s here and %s in '%s'",
                         download->url, download->sha256, locked, lock->path);
                return error_hint(err, "if the change is meant: machine lock --update %s", step->id);
        }
        if (locked && !download->sha256) {
                download->sha256 = xstrdup(locked);
                download->locked = true;
        }
        return 0;
}

static void hash_step(struct recipe_step *step)
{
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, recipe_kind_name(step->kind));
        hash_add_text(&hash, step->as_user ? "user" : "root");
        for (size_t i = 0; i < step->value_count; i++) {
                hash_add_text(&hash, "value");
                hash_add_text(&hash, step->values[i].name);
                hash_add(&hash, &(uint64_t){ step->values[i].items.count }, sizeof(uint64_t));
                for (size_t j = 0; j < step->values[i].items.count; j++)
                        hash_add_text(&hash, step->values[i].items.items[j]);
        }
        for (size_t i = 0; i < step->file_count; i++) {
                hash_add_text(&hash, step->files[i].executable ? "program" : "file");
                hash_add_text(&hash, step->files[i].name);
                hash_add(&hash, step->files[i].content, step->files[i].length);
        }
        /* Where a download comes from doesn't matter once its content is known. */
        for (size_t i = 0; i < step->download_count; i++) {
                hash_add_text(&hash, "download");
                hash_add_text(&hash, step->downloads[i].name);
                hash_add_text(&hash, step->downloads[i].sha256 ? step->downloads[i].sha256 : step->downloads[i].url);
        }
        hash_add_text(&hash, step->verify);
        set_string(&step->hash, hash_hex(&hash));
}

int recipe_resolve(struct recipe *recipe, const struct lockfile *lock, struct error **err)
{
        for (size_t p = 0; p < recipe->part_count; p++) {
                struct recipe_part *part = &recipe->parts[p];

                for (size_t i = 0; i < part->step_count; i++) {
                        struct recipe_step *step = &part->steps[i];

                        put_versions_in(recipe, part, step, lock);
                        for (size_t d = 0; d < step->download_count; d++)
                                if (put_hash_in(recipe, step, &step->downloads[d], lock, err) < 0)
                                        return -1;
                        if (!step->skipped)
                                hash_step(step);
                }
        }
        return 0;
}

char *recipe_hash(const struct recipe *recipe)
{
        struct hash hash;

        if (!recipe_has_steps(recipe))
                return NULL;
        hash_init(&hash);
        for (size_t p = 0; p < recipe->part_count; p++)
                for (size_t i = 0; i < recipe->parts[p].step_count; i++) {
                        const struct recipe_step *step = &recipe->parts[p].steps[i];

                        if (step->skipped)
                                continue;
                        hash_add_text(&hash, recipe->parts[p].name);
                        hash_add_text(&hash, step->id);
                        hash_add_text(&hash, step->hash);
                }
        return hash_hex(&hash);
}
