#include "operation/recipe-apply.h"

#include "config/recipe-lack.h"
#include "config/recipe-pin.h"
#include "config/settings.h"
#include "guest/recipe-run.h"
#include "host/download.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/recipe.h"
#include "operation/versions.h"

/* What is learned while a part runs. */
struct record {
        struct front *front;
        const struct vm *vm;
        const struct target *target;
        const struct recipe *recipe;
        enum recipe_versions versions;
        struct strv *lacks;    /* what the VM goes without */
        struct strv without;   /* ids of the part's steps whose download failed */
        struct lockfile lock;  /* as it was before, and what was found */
        struct lockfile found; /* what the lock lacked */
        size_t unpinned;       /* packages without a version, when versions are ignored */
        struct error *error;   /* the first one in on_version() */
};

static int find(struct record *record, enum lock_section section, const char *step, const char *name, const char *value,
                struct error **err)
{
        const char *architecture = record->recipe->architecture;

        return lockfile_set(&record->lock, architecture, section, step, name, value, err) < 0 ||
                               lockfile_set(&record->found, architecture, section, step, name, value, err) < 0
                       ? -1
                       : 0;
}

/* The guest is trusted only with the version of a package for which this step has none; an existing VM not even with that. */
static void on_version(const struct recipe_part *part, const struct recipe_step *step, const char *name, const char *version,
                       void *data)
{
        struct record *record = data;
        _cleanup_(freep) char *called = xasprintf("%s/%s", part->name, step->id);

        if (record->error || !recipe_pin_is_open(step, name))
                return;
        if (record->versions == RECIPE_VERSIONS_IGNORED)
                record->unpinned++;
        else if (!recipe_pin_is_version(step->kind, version))
                error_set(&record->error, ERROR_STEP, "step '%s' says that it installed '%s' of '%s', which is not a version",
                          called, version, name);
        else if (!lockfile_get(&record->lock, record->recipe->architecture, LOCK_VERSIONS, called, name))
                find(record, LOCK_VERSIONS, called, name, version, &record->error);
}

/* `reason` is NULL for the step that would check what isn't all there. */
static void on_missed(const struct recipe_part *part, const struct recipe_step *step, const char *reason, const char *log,
                      void *data)
{
        struct record *record = data;
        struct event_sink *events = record->front->events;
        const char *name = record->target->name;
        _cleanup_(freep) char *shown = log ? text_shell_path(log) : NULL;
        _cleanup_(freep) char *rest = log ? xasprintf("; the rest: less %s", shown) : xstrdup("");

        strv_take(record->lacks, recipe_lack(part, step));
        if (reason)
                event_warning(
                        events,
                        "VM '%s' goes without '%s': optional step '%s/%s' (%s:%u) failed: %s%s; to try again: machine up %s",
                        name, step->title, part->name, step->id, step->file, step->line, reason, rest, name);
        else
                event_note(events, "step '%s/%s' is left out, because it would check what failed, too", part->name, step->id);
}

static int fetch(struct record *record, const struct settings *settings, const struct recipe_download *wanted,
                 struct recipe_run_files *files, struct error **err)
{
        _cleanup_(freep) char *sha256 = NULL;
        const struct download download = {
                .url = wanted->url,
                .sha256 = wanted->sha256,
                .mirror_from = &settings->mirror_from,
                .mirror_to = &settings->mirror_to,
        };
        char *path = NULL;

        if (download_get(&download, record->front->events, &path, &sha256, err) < 0)
                return -1;
        files->items = xreallocarray(files->items, files->count + 1, sizeof(*files->items));
        files->items[files->count++] = (struct recipe_run_file){ .download = wanted, .path = path };
        if (wanted->sha256)
                return 0;
        return find(record, LOCK_DOWNLOADS, "", wanted->url, sha256, err);
}

/* A step that is optional, and can't have its download, is one that failed. */
static int fetch_step(struct record *record, const struct settings *settings, const struct recipe_part *part,
                      const struct recipe_step *step, struct recipe_run_files *files, struct error **err)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *reason = NULL;

        for (size_t i = 0; i < step->download_count && !error; i++)
                fetch(record, settings, &step->downloads[i], files, &error);
        if (!error)
                return 0;
        if (!step->optional)
                return error_give(err, TAKE_PTR(error));
        reason = error_text(error);
        strv_add(&record->without, step->id);
        on_missed(part, step, reason, NULL, record);
        return 0;
}

static int fetch_part(struct record *record, const struct settings *settings, const struct recipe_part *part,
                      struct recipe_run_files *files, struct error **err)
{
        _cleanup_(strv_clear) struct strv applied = STRV_INIT;

        if (recipe_run_applied(record->vm, part, &applied, err) < 0)
                return -1;
        for (size_t i = 0; i < part->step_count; i++) {
                const struct recipe_step *step = &part->steps[i];

                if (step->skipped || strv_contains(&applied, step->id))
                        continue;
                if (fetch_step(record, settings, part, step, files, err) < 0)
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

/* Returns the folder for a failed step's log: a layer's VM is gone by the time the log is read. */
static char *logs_of(const struct vm *vm)
{
        return vm->exists ? path_join(vm->folder, "logs") : paths_state("logs");
}

static int run_part(struct record *record, const struct recipe_part *part, const char *again, struct error **err)
{
        _cleanup_(recipe_run_files_clear) struct recipe_run_files files = RECIPE_RUN_FILES_INIT;
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(freep) char *logs = logs_of(record->vm);

        if (settings_read(&settings, err) < 0 || fetch_part(record, &settings, part, &files, err) < 0)
                return -1;
        return recipe_run(&(struct recipe_run){ .vm = record->vm,
                                                .part = part,
                                                .files = &files,
                                                .logs = logs,
                                                .again = again,
                                                .without = &record->without,
                                                .on_version = on_version,
                                                .on_missed = on_missed,
                                                .data = record,
                                                .events = record->front->events },
                          err);
}

/* Adds what was found to the file as it is by now. What another run recorded meanwhile stays. */
static int save(const struct record *record, const char *again, struct error **err)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

        if (record->found.count == 0)
                return 0;
        if (lockfile_read(record->recipe->lock_path, &lock, err) < 0)
                return -1;
        for (size_t i = 0; i < record->found.count; i++) {
                const struct lock_entry *entry = &record->found.entries[i];
                const char *there = lockfile_get(&lock, entry->architecture, entry->section, entry->step, entry->name);

                if (there && !streq(there, entry->value)) {
                        error_set(err, ERROR_FAILED, "'%s' was given another value for '%s' while the recipe ran", lock.path,
                                  entry->name);
                        return error_hint(err, "%s", again);
                }
                if (!there &&
                    lockfile_set(&lock, entry->architecture, entry->section, entry->step, entry->name, entry->value, err) < 0)
                        return -1;
        }
        return lockfile_write(&lock, err);
}

static void tell(const struct record *record)
{
        struct event_sink *events = record->front->events;

        if (record->error) {
                _cleanup_(freep) char *text = error_text(record->error);

                event_warning(events, "some versions were not recorded in '%s': %s", record->recipe->lock_path, text);
        }
        if (record->unpinned > 0)
                event_note(
                        events,
                        "VM '%s' installed %zu package%s without a version in '%s': versions are recorded only while a layer is filled",
                        record->vm->name, record->unpinned, record->unpinned == 1 ? "" : "s", record->recipe->lock_path);
}

/* Records what came even when a later step failed, so that the next run gets the same. */
static int run_and_record(struct record *record, size_t part, struct error **err)
{
        const struct target *target = record->target;
        _cleanup_(freep) char *again = target->again ? xstrdup(target->again) : xasprintf("machine up %s", target->name);
        int status = run_part(record, &record->recipe->parts[part], again, err);

        if (save(record, again, status == 0 ? err : NULL) < 0)
                status = -1;
        if (status == 0)
                tell(record);
        return status;
}

/* Reads the recipe anew, with the lock that this run knows: what others recorded meanwhile was not applied. */
static int refresh(const struct record *record, struct recipe *recipe, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe now = RECIPE_INIT;

        if (recipe_as_written(record->target, &now, err) < 0 || recipe_resolve(&now, &record->lock, err) < 0)
                return -1;
        if (now.part_count != recipe->part_count)
                return error_set(err, ERROR_FAILED, "the recipe was changed while it ran");
        recipe_clear(recipe);
        *recipe = now;
        now = (struct recipe)RECIPE_INIT;
        return 0;
}

static void record_clear(struct record *record)
{
        lockfile_clear(&record->lock);
        lockfile_clear(&record->found);
        strv_clear(&record->without);
        error_free(record->error);
}

int recipe_apply_part(struct front *front, const struct vm *vm, const struct target *target, struct recipe *recipe, size_t part,
                      enum recipe_versions versions, struct strv *lacks, struct error **err)
{
        _cleanup_(record_clear) struct record record = { .front = front,
                                                         .vm = vm,
                                                         .target = target,
                                                         .recipe = recipe,
                                                         .versions = versions,
                                                         .lacks = lacks,
                                                         .without = STRV_INIT,
                                                         .lock = LOCKFILE_INIT,
                                                         .found = LOCKFILE_INIT };

        /* A changed machine.lock gives the steps other hashes. So the recipe is read anew before the run and after it, and the
         * guest is told the last hashes. */
        if (lockfile_read(recipe->lock_path, &record.lock, err) < 0 || refresh(&record, recipe, err) < 0 ||
            run_and_record(&record, part, err) < 0 || refresh(&record, recipe, err) < 0)
                return -1;
        return recipe_run_adopt(vm, &recipe->parts[part], lacks, err);
}

int recipe_apply(struct front *front, const struct vm *vm, const struct target *target, struct strv *lacks, char **hash,
                 struct error **err)
{
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;

        if (versions_adopt(front, target, err) < 0 || recipe_resolved(target, &recipe, err) < 0)
                return -1;
        for (size_t p = 0; p < recipe.part_count; p++)
                if (recipe_apply_has_work(&recipe.parts[p]) &&
                    recipe_apply_part(front, vm, target, &recipe, p, RECIPE_VERSIONS_IGNORED, lacks, err) < 0)
                        return -1;
        *hash = recipe_hash(&recipe);
        return 0;
}
