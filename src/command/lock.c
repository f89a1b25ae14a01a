#include "command/command.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/recipe.h"
#include "operation/target.h"
#include "operation/versions.h"
#include "term/table.h"

struct lock_options {
        struct common_options common;
        bool update;
};

static const struct option options[] = {
        OPTION(struct lock_options, update, "update", 'u', OPTION_FLAG, NULL,
               "forget entries, so that they are resolved again"),
        COMMON_OPTIONS(struct lock_options),
        { 0 },
};

static const char *const section_names[] = {
        [LOCK_BASE] = "base",
        [LOCK_DOWNLOADS] = "download",
        [LOCK_VERSIONS] = "version",
};

static void show(struct context *context, const struct lockfile *lock)
{
        static const char *const headings[] = { "ARCHITECTURE", "WHAT", "STEP", "NAME", "VALUE", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);
        json_t *array = json_array();

        for (size_t i = 0; i < lock->count; i++) {
                const struct lock_entry *entry = &lock->entries[i];
                const char *what = section_names[entry->section];
                const char *step = *entry->step ? entry->step : NULL;

                table_add(table, (const char *const[]){ entry->architecture, what, step, entry->name, entry->value });
                json_array_append_new(array, json_pack("{s:s, s:s, s:s?, s:s, s:s}", "architecture", entry->architecture,
                                                       "what", what, "step", step, "name", entry->name, "value", entry->value));
        }
        result_list(context, array, table, "'%s' has no entries yet", lock->path);
}

/* Reads the lock file. With `forget_all` a file that can't be read is replaced by an empty one. */
static int read_lock(const char *path, bool forget_all, struct lockfile *lock, struct error **err)
{
        if (!forget_all)
                return lockfile_read(path, lock, err);
        if (lockfile_read(path, lock, NULL) == 0)
                return 0;
        lock->path = xstrdup(path);
        return lockfile_write(lock, err);
}

/* Drops the entries of a step, ID or PART/ID. Returns how many there were, or SIZE_MAX when the recipe has no such step. */
static size_t forget_step(const struct recipe *recipe, const char *wanted, struct lockfile *lock)
{
        size_t gone = 0;
        bool found = false;

        for (size_t p = 0; p < recipe->part_count; p++)
                for (size_t i = 0; i < recipe->parts[p].step_count; i++) {
                        const struct recipe_step *step = &recipe->parts[p].steps[i];
                        _cleanup_(freep) char *called = xasprintf("%s/%s", recipe->parts[p].name, step->id);

                        if (!streq(wanted, called) && !streq(wanted, step->id))
                                continue;
                        found = true;
                        gone += lockfile_drop(lock, called);
                        for (size_t d = 0; d < step->download_count; d++)
                                gone += lockfile_drop_download(lock, step->downloads[d].url);
                }
        return found ? gone : SIZE_MAX;
}

static int update(struct context *context, const struct target *target, const struct recipe *recipe, const char *step,
                  struct lockfile *lock, struct error **err)
{
        size_t gone = step ? forget_step(recipe, step, lock) : lockfile_drop(lock, NULL);

        if (gone == SIZE_MAX) {
                error_set(err, ERROR_NOT_FOUND, "the recipe has no step '%s'", step);
                return error_hint(err, "machine plan lists them");
        }
        if (versions_forget(target, err) < 0 || (gone > 0 && lockfile_write(lock, err) < 0))
                return -1;
        event_note(context->front.events, "%zu entr%s of '%s' will be resolved again", gone, gone == 1 ? "y" : "ies",
                   lock->path);
        return 0;
}

static int refuse_step(const char *step, struct error **err)
{
        _cleanup_(freep) char *command = text_shell_join((const char *const[]){ "machine", "lock", "--update", step, NULL });

        error_set(err, ERROR_USAGE, "STEP can be given with --update only");
        return error_hint(err, "%s", command);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct lock_options *given = invocation->options;
        const char *step = invocation_name(invocation);
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

        if (step && !given->update)
                return refuse_step(step, err);
        if (target_wanted(&context->front, NULL, &target, err) < 0 || recipe_as_written(&target, &recipe, err) < 0 ||
            read_lock(recipe.lock_path, given->update && !step, &lock, err) < 0)
                return -1;
        if (given->update && update(context, &target, &recipe, step, &lock, err) < 0)
                return -1;
        show(context, &lock);
        return 0;
}

const struct command command_lock = {
        .name = "lock",
        .operands = "[STEP]",
        .summary = "show machine.lock, or forget entries so that they are resolved again",
        .text = "machine.lock is beside the recipe of the current checkout, else in the configuration folder. It has the hash of\n"
                "every download and the version of every package, as they were when the recipe first ran. --update forgets all\n"
                "of them, or with a STEP of the recipe (ID, or PART/ID) those of that step.",
        .options = options,
        .options_size = sizeof(struct lock_options),
        .operands_most = 1,
        .run = run,
};
