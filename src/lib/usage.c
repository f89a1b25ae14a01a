#include "lib/usage.h"

#include <sys/stat.h>

#include "lib/file.h"

/* st_blocks is in units of 512 bytes, whatever the file system's blocks are (stat(2)). */
#define BLOCK 512

struct usage_file {
        dev_t device;
        ino_t number;
};

void usage_clear(struct usage *usage)
{
        free(usage->seen);
        strv_clear(&usage->unread);
        *usage = (struct usage)USAGE_INIT;
}

static int compare(const struct usage_file *a, const struct usage_file *b)
{
        if (a->device != b->device)
                return a->device < b->device ? -1 : 1;
        return a->number < b->number ? -1 : a->number > b->number;
}

/* Where the file is among those seen, or where it belongs. */
static size_t place_of(const struct usage *usage, const struct usage_file *file)
{
        size_t place = 0;

        for (size_t left = usage->count; left > 0;) {
                size_t half = left / 2;

                if (compare(&usage->seen[place + half], file) < 0) {
                        place += half + 1;
                        left -= half + 1;
                } else {
                        left = half;
                }
        }
        return place;
}

/* Returns true for a file that was not seen before, and remembers it. */
static bool is_new(struct usage *usage, const struct stat *status)
{
        const struct usage_file file = { status->st_dev, status->st_ino };
        size_t place = place_of(usage, &file);

        if (place < usage->count && compare(&usage->seen[place], &file) == 0)
                return false;
        if (usage->count == usage->room) {
                usage->room = usage->room * 2 + 64;
                usage->seen = xreallocarray(usage->seen, usage->room, sizeof(*usage->seen));
        }
        memmove(usage->seen + place + 1, usage->seen + place, (usage->count - place) * sizeof(*usage->seen));
        usage->seen[place] = file;
        usage->count++;
        return true;
}

static int64_t add_content(struct usage *usage, const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        int64_t total = 0;

        /* One that was removed meanwhile takes nothing. */
        if (file_list(folder, &names, &error) < 0 && error->kind != ERROR_NOT_FOUND)
                strv_add(&usage->unread, folder);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);

                total += usage_add(usage, path);
        }
        return total;
}

int64_t usage_add(struct usage *usage, const char *path)
{
        struct stat status;
        int64_t bytes;

        if (lstat(path, &status) < 0 || !is_new(usage, &status))
                return 0;
        bytes = (int64_t)status.st_blocks * BLOCK;
        return S_ISDIR(status.st_mode) ? bytes + add_content(usage, path) : bytes;
}

int64_t usage_of(const char *path)
{
        _cleanup_(usage_clear) struct usage usage = USAGE_INIT;

        return usage_add(&usage, path);
}
