#include "command/recipe-apply.h"

#include "command/recipe-view.h"
#include "config/settings.h"
#include "guest/recipe-run.h"
#include "host/download.h"
#include "lib/text.h"

/* What it takes every VM minutes to have belongs into an image. */
static bool is_left_out(const struct recipe_part *part)
{
        return streq(part->origin, "shipped") && streq(part->name, RECIPE_BASE);
}

int recipe_apply_read(const struct target *target, struct recipe *out, struct error **err)
{
        if (recipe_view_read(target, out, err) < 0)
                return -1;
        for (size_t p = 0; p < out->part_count; p++)
                for (size_t i = 0; is_left_out(&out->parts[p]) && i < out->parts[p].step_count; i++)
                        if (!out->parts[p].steps[i].skipped)
                                out->parts[p].steps[i].skipped = xstrdup("the shipped base recipe is not applied");
        return 0;
}

/* What is being recorded while a part runs. */
struct record {
        const struct recipe *recipe;
        struct lockfile *lock;
        struct error *error; /* the first */
        bool changed;
};

static void on_version(const struct recipe_part *part, const char *step, const char *name, const char *version, void *data)
{
        struct record *record = data;
        _cleanup_(freep) char *called = xasprintf("%s/%s", part->name, step);
        const char *before = lockfile_get(record->lock, record->recipe->architecture, LOCK_VERSIONS, called, name);

        if (record->error || (before && streq(before, version)))
                return;
        if (lockfile_set(record->lock, record->recipe->architecture, LOCK_VERSIONS, called, name, version, &record->error) == 0)
                record->changed = true;
}

static int fetch(struct context *context, const struct settings *settings, const struct recipe_download *wanted,
                 struct record *record, struct recipe_run_files *files, struct error **err)
{
        _cleanup_(freep) char *sha256 = NULL;
        const struct download download = {
                .url = wanted->url,
                .sha256 = wanted->sha256,
                .mirror_from = &settings->mirror_from,
                .mirror_to = &settings->mirror_to,
        };
        char *path = NULL;

        if (download_get(&download, context->events, &path, &sha256, err) < 0)
                return -1;
        files->items = xreallocarray(files->items, files->count + 1, sizeof(*files->items));
        files->items[files->count++] = (struct recipe_run_file){ .download = wanted, .path = path };
        if (wanted->sha256)
                return 0;
        record->changed = true;
        return lockfile_set(record->lock, record->recipe->architecture, LOCK_DOWNLOADS, "", wanted->url, sha256, err);
}

static int fetch_part(struct context *context, const struct vm *vm, const struct settings *settings,
                      const struct recipe_part *part, struct record *record, struct recipe_run_files *files, struct error **err)
{
        _cleanup_(strv_clear) struct strv applied = STRV_INIT;

        if (recipe_run_applied(vm, part, &applied, err) < 0)
                return -1;
        for (size_t i = 0; i < part->step_count; i++) {
                const struct recipe_step *step = &part->steps[i];

                if (step->skipped || strv_contains(&applied, step->id))
                        continue;
                for (size_t j = 0; j < step->download_count; j++)
                        if (fetch(context, settings, &step->downloads[j], record, files, err) < 0)
                                return -1;
        }
        return 0;
}

static bool has_work(const struct recipe_part *part)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (!part->steps[i].skipped)
                        return true;
        return false;
}

/* What came is recorded also where a later step failed: the next run then gets the same. */
static int apply_part(struct context *context, const struct vm *vm, const struct settings *settings,
                      const struct recipe_part *part, struct record *record, struct error **err)
{
        _cleanup_(recipe_run_files_clear) struct recipe_run_files files = RECIPE_RUN_FILES_INIT;
        int status = fetch_part(context, vm, settings, part, record, &files, err);

        if (status == 0)
                status = recipe_run(vm, part, &files, on_version, record, context->events, err);
        if (record->changed && lockfile_write(record->lock, status == 0 ? err : NULL) < 0)
                status = -1;
        record->changed = false;
        return status;
}

/* machine.lock has given steps other hashes: they were applied as they are now. */
static int adopt(const struct vm *vm, const struct target *target, char **hash, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        if (recipe_apply_read(target, &recipe, err) < 0)
                return -1;
        for (size_t p = 0; p < recipe.part_count; p++)
                if (has_work(&recipe.parts[p]) && recipe_run_adopt(vm, &recipe.parts[p], err) < 0)
                        return -1;
        *hash = recipe_hash(&recipe);
        return 0;
}

int recipe_apply(struct context *context, const struct vm *vm, const struct target *target, char **hash, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        struct record record = { .recipe = &recipe, .lock = &lock };

        if (settings_read(&settings, err) < 0 || recipe_apply_read(target, &recipe, err) < 0 ||
            lockfile_read(recipe.lock_path, &lock, err) < 0)
                return -1;
        for (size_t p = 0; p < recipe.part_count; p++)
                if (has_work(&recipe.parts[p]) && apply_part(context, vm, &settings, &recipe.parts[p], &record, err) < 0) {
                        error_free(record.error);
                        return -1;
                }
        if (record.error) {
                _cleanup_(freep) char *text = error_text(record.error);

                event_warning(context->events, "not all versions are in '%s': %s", recipe.lock_path, text);
                error_free(record.error);
        }
        return adopt(vm, target, hash, err);
}
