/* Puts what machine.lock says into a recipe, and gives every step its hash. */
#include "config/recipe-lack.h"
#include "config/recipe-pin.h"
#include "config/recipe-steps.h"
#include "lib/hash.h"

/* What machine.lock has for `name`, or NULL. The file may have come with a repo, so anything but a version is an error. */
static int get_version(const struct recipe *recipe, const struct recipe_part *part, const struct recipe_step *step,
                       const struct lockfile *lock, const char *name, const char **out, struct error **err)
{
        _cleanup_(freep) char *called = xasprintf("%s/%s", part->name, step->id);
        const char *version =
                recipe_pin_is_open(step, name) ? lockfile_get(lock, recipe->architecture, LOCK_VERSIONS, called, name) : NULL;

        if (version && !recipe_pin_is_version(step->kind, version)) {
                error_set(err, ERROR_CONFIG, "'%s' has '%s' for '%s' of step '%s', which is not a version", lock->path, version,
                          name, called);
                return error_hint(err, "machine lock --update %s", called);
        }
        *out = version;
        return 0;
}

static int put_versions_in(const struct recipe *recipe, const struct recipe_part *part, struct recipe_step *step,
                           const struct lockfile *lock, struct error **err)
{
        const char *mark = recipe_pin_mark(step->kind);
        const char *version = NULL;

        /* Before the packages, because one of them may have this name. */
        if (step->kind == RECIPE_UV_TOOL && !recipe_step_value(step, "uv")) {
                if (get_version(recipe, part, step, lock, "uv", &version, err) < 0)
                        return -1;
                recipe_step_add_value(step, "uv", version);
        }
        for (size_t v = 0; mark && v < step->value_count; v++) {
                struct strv *items = &step->values[v].items;

                if (!streq(step->values[v].name, "packages"))
                        continue;
                for (size_t i = 0; i < items->count; i++) {
                        if (get_version(recipe, part, step, lock, items->items[i], &version, err) < 0)
                                return -1;
                        if (version)
                                set_string(&items->items[i], xasprintf("%s%s%s", items->items[i], mark, version));
                }
        }
        return 0;
}

static int put_hash_in(const struct recipe *recipe, const struct recipe_step *step, struct recipe_download *download,
                       const struct lockfile *lock, struct error **err)
{
        const char *locked = lockfile_get(lock, recipe->architecture, LOCK_DOWNLOADS, "", download->url);

        if (locked && download->sha256 && !streq(locked, download->sha256)) {
                error_at(err, step->file, download->line, download->column, "'%s' has sha256 %s here and %s in '%s'",
                         download->url, download->sha256, locked, lock->path);
                return error_hint(err, "if the change is intended: machine lock --update %s", step->id);
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

                        if (put_versions_in(recipe, part, step, lock, err) < 0)
                                return -1;
                        for (size_t d = 0; d < step->download_count; d++)
                                if (put_hash_in(recipe, step, &step->downloads[d], lock, err) < 0)
                                        return -1;
                        if (!step->skipped)
                                hash_step(step);
                }
        }
        return 0;
}

/* In one order, whichever of them failed first. */
static void add_lacks(const struct strv *lacks, struct hash *hash)
{
        _cleanup_(strv_clear) struct strv steps = STRV_INIT;

        for (size_t i = 0; i < lacks->count; i++)
                strv_take(&steps, recipe_lack_step(lacks->items[i]));
        strv_sort(&steps);
        for (size_t i = 0; i < steps.count; i++) {
                hash_add_text(hash, "without");
                hash_add_text(hash, steps.items[i]);
        }
}

void recipe_part_add_to(const struct recipe_part *part, const struct strv *lacks, struct hash *hash)
{
        hash_add_text(hash, part->name);
        for (size_t i = 0; i < part->step_count; i++) {
                if (part->steps[i].skipped || recipe_lack_has(lacks, part, &part->steps[i]))
                        continue;
                hash_add_text(hash, part->steps[i].id);
                hash_add_text(hash, part->steps[i].hash);
        }
        add_lacks(lacks, hash);
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
