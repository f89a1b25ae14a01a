#include "command/recipe-apply.h"

#include "command/recipe-view.h"
#include "config/settings.h"
#include "guest/recipe-run.h"
#include "host/download.h"
#include "host/paths.h"
#include "lib/file.h"

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

bool recipe_apply_has_work(const struct recipe_part *part)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (!part->steps[i].skipped)
                        return true;
        return false;
}

/* Where a failed step's log stays: a layer's VM is gone when it is read. */
static char *logs_of(const struct vm *vm)
{
        return vm->exists ? path_join(vm->folder, "logs") : paths_state("logs");
}

static int run_part(struct context *context, const struct vm *vm, const struct target *target, const struct recipe_part *part,
                    struct record *record, struct error **err)
{
        _cleanup_(recipe_run_files_clear) struct recipe_run_files files = RECIPE_RUN_FILES_INIT;
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(freep) char *again = xasprintf("machine up %s", target->name);
        _cleanup_(freep) char *logs = logs_of(vm);

        if (settings_read(&settings, err) < 0 || fetch_part(context, vm, &settings, part, record, &files, err) < 0)
                return -1;
        return recipe_run(&(struct recipe_run){ .vm = vm,
                                                .part = part,
                                                .files = &files,
                                                .logs = logs,
                                                .again = again,
                                                .on_version = on_version,
                                                .data = record,
                                                .events = context->events },
                          err);
}

/* What came is recorded also where a later step failed: the next run then gets the same. */
static int run_and_record(struct context *context, const struct vm *vm, const struct target *target,
                          const struct recipe *recipe, size_t part, struct error **err)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        struct record record = { .recipe = recipe, .lock = &lock };
        int status;

        if (lockfile_read(recipe->lock_path, &lock, err) < 0)
                return -1;
        status = run_part(context, vm, target, &recipe->parts[part], &record, err);
        if (record.changed && lockfile_write(&lock, status == 0 ? err : NULL) < 0)
                status = -1;
        if (status == 0 && record.error) {
                _cleanup_(freep) char *text = error_text(record.error);

                event_warning(context->events, "not all versions are in '%s': %s", recipe->lock_path, text);
        }
        error_free(record.error);
        return status;
}

int recipe_apply_part(struct context *context, const struct vm *vm, const struct target *target, struct recipe *recipe,
                      size_t part, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe now = RECIPE_INIT;

        if (run_and_record(context, vm, target, recipe, part, err) < 0 || recipe_view_read(target, &now, err) < 0)
                return -1;
        if (now.part_count != recipe->part_count)
                return error_set(err, ERROR_FAILED, "the recipe was changed while it ran");
        recipe_clear(recipe);
        *recipe = now;
        now = (struct recipe)RECIPE_INIT;
        /* machine.lock has given steps other hashes: they were applied as they are now. */
        return recipe_run_adopt(vm, &recipe->parts[part], err);
}

int recipe_apply(struct context *context, const struct vm *vm, const struct target *target, char **hash, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        if (recipe_view_read(target, &recipe, err) < 0)
                return -1;
        for (size_t p = 0; p < recipe.part_count; p++)
                if (recipe_apply_has_work(&recipe.parts[p]) && recipe_apply_part(context, vm, target, &recipe, p, err) < 0)
                        return -1;
        *hash = recipe_hash(&recipe);
        return 0;
}
