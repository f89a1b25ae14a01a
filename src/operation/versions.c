#include "operation/versions.h"

#include <errno.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"

/* Raised when the same recipe would resolve to other versions. */
#define FORM "versions 1"

/* --- where it is remembered */

static int read_written(const struct target *target, struct recipe *out, struct error **err)
{
        return recipe_as_written(target, out, err) < 0 || recipe_resolve(out, &(struct lockfile)LOCKFILE_INIT, err) < 0 ? -1
                                                                                                                        : 0;
}

/* Owned by the caller. */
static char *path_of(const struct recipe *written, size_t part)
{
        _cleanup_(freep) char *folder = paths_data("versions");
        _cleanup_(freep) char *key = NULL;
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, FORM);
        hash_add_text(&hash, written->architecture);
        hash_add_text(&hash, written->suite);
        for (size_t p = 0; p <= part; p++)
                recipe_part_add_to(&written->parts[p], &(struct strv)STRV_INIT, &hash);
        key = hash_hex(&hash);
        return path_join(folder, key);
}

/* --- which entries of a lock file are a part's */

static bool is_of_step(const struct lock_entry *entry, const struct recipe_part *part, const struct recipe_step *step)
{
        _cleanup_(freep) char *called = xasprintf("%s/%s", part->name, step->id);

        if (entry->section == LOCK_VERSIONS)
                return streq(entry->step, called);
        for (size_t i = 0; entry->section == LOCK_DOWNLOADS && i < step->download_count; i++)
                if (streq(entry->name, step->downloads[i].url))
                        return true;
        return false;
}

static bool is_of_part(const struct lock_entry *entry, const struct recipe *written, const struct recipe_part *part)
{
        if (!streq(entry->architecture, written->architecture))
                return false;
        for (size_t i = 0; i < part->step_count; i++)
                if (!part->steps[i].skipped && is_of_step(entry, part, &part->steps[i]))
                        return true;
        return false;
}

/* Adds to `out` what `lock` has for the part. Returns the number of entries, or -1. */
static ssize_t copy_part(const struct lockfile *lock, const struct recipe *written, const struct recipe_part *part,
                         struct lockfile *out, struct error **err)
{
        ssize_t count = 0;

        for (size_t i = 0; i < lock->count; i++) {
                const struct lock_entry *entry = &lock->entries[i];

                if (!is_of_part(entry, written, part))
                        continue;
                if (lockfile_set(out, entry->architecture, entry->section, entry->step, entry->name, entry->value, err) < 0)
                        return -1;
                count++;
        }
        return count;
}

static bool has_any(const struct lockfile *lock, const struct recipe *written, const struct recipe_part *part)
{
        for (size_t i = 0; i < lock->count; i++)
                if (is_of_part(&lock->entries[i], written, part))
                        return true;
        return false;
}

/* --- */

static ssize_t recall(const struct recipe *written, size_t part, struct lockfile *lock, struct error **err)
{
        _cleanup_(lockfile_clear) struct lockfile remembered = LOCKFILE_INIT;
        _cleanup_(freep) char *path = path_of(written, part);

        if (has_any(lock, written, &written->parts[part]))
                return 0;
        /* When the file can't be read, the versions are resolved and written anew. */
        if (lockfile_read(path, &remembered, NULL) < 0)
                return 0;
        return copy_part(&remembered, written, &written->parts[part], lock, err);
}

int versions_recall(const struct recipe *written, struct lockfile *lock, size_t *count, struct error **err)
{
        *count = 0;
        for (size_t p = 0; p < written->part_count; p++) {
                ssize_t added = recall(written, p, lock, err);

                if (added < 0)
                        return -1;
                *count += (size_t)added;
        }
        return 0;
}

int versions_adopt(struct front *front, const struct target *target, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe written = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        size_t count;

        if (read_written(target, &written, err) < 0 || lockfile_read(written.lock_path, &lock, err) < 0 ||
            versions_recall(&written, &lock, &count, err) < 0)
                return -1;
        if (count == 0)
                return 0;
        event_note(front->events, "'%s' gets the %zu version%s that another project with this recipe uses", lock.path, count,
                   count == 1 ? "" : "s");
        return lockfile_write(&lock, err);
}

int versions_remember(const struct target *target, size_t part, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe written = RECIPE_INIT;
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        _cleanup_(lockfile_clear) struct lockfile remembered = LOCKFILE_INIT;
        _cleanup_(freep) char *folder = paths_data("versions");
        ssize_t count;

        if (read_written(target, &written, err) < 0 || lockfile_read(written.lock_path, &lock, err) < 0)
                return -1;
        remembered.path = path_of(&written, part);
        count = copy_part(&lock, &written, &written.parts[part], &remembered, err);
        if (count <= 0)
                return (int)count;
        return file_make_folders(folder, 0700, err) < 0 ? -1 : lockfile_write(&remembered, err);
}

int versions_forget(const struct target *target, struct error **err)
{
        _cleanup_(recipe_clear) struct recipe written = RECIPE_INIT;

        if (read_written(target, &written, err) < 0)
                return -1;
        for (size_t p = 0; p < written.part_count; p++) {
                _cleanup_(freep) char *path = path_of(&written, p);

                if (unlink(path) < 0 && errno != ENOENT)
                        return error_errno(err, ERROR_FAILED, "cannot remove '%s'", path);
        }
        return 0;
}
