#include "guest/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/copy-stream.h"
#include "lib/file.h"
#include "lib/nest.h"
#include "lib/text.h"

#define NEST_PREFIX ".machine-cp."

/* Returns the path as copy.sh takes it: relative to the home, without a leading ~/. */
static const char *in_home(const char *path)
{
        path += starts_with(path, "~/") ? 2 : 0;
        return *path && !streq(path, "~") ? path : ".";
}

/* --- out */

/* Returns the last part of a path that the user typed, never of one that the guest sent; NULL when it is not a name. Owned by
 * the caller. */
static char *last_part(const char *path)
{
        size_t length = strlen(path);
        _cleanup_(freep) char *trimmed = NULL;
        _cleanup_(freep) char *base = NULL;

        while (length > 0 && path[length - 1] == '/')
                length--;
        trimmed = xstrndup(path, length);
        base = path_base(trimmed);
        return *base && !streq(base, ".") && !streq(base, "..") && !streq(base, "~") && !streq(base, "/") ? TAKE_PTR(base)
                                                                                                          : NULL;
}

static char *final_path(const char *target, const char *path, struct error **err)
{
        _cleanup_(freep) char *name = last_part(path);

        if (!file_is_folder(target))
                return xstrdup(target);
        if (name)
                return path_join(target, name);
        error_set(err, ERROR_USAGE, "'%s' has no name that its copy in '%s' could have", path, target);
        return NULL;
}

/* A folder replaces nothing, and a file does not replace a folder. */
static int put_in_place(const char *copy, const char *final, struct error **err)
{
        struct stat there;

        if (lstat(final, &there) == 0 && (S_ISDIR(there.st_mode) || file_is_folder(copy)))
                return error_set(err, ERROR_FAILED, "'%s' already exists", final);
        return file_rename(copy, final, err);
}

static int fetch(const struct vm *vm, const char *path, const char *nest, struct copy_wish *wish, struct event_sink *events,
                 struct error **err)
{
        _cleanup_(closep) int folder = open(nest, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;

        if (folder < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", nest);
        strv_adds(&args, "out", in_home(path), NULL);
        stream.events = events;
        if (copy_stream_open(vm, "copy.sh", &args, &stream, err) < 0 || copy_receive(&stream, folder, wish, err) < 0)
                return error_wrap(err, "cannot copy '%s' from VM '%s'", path, vm->name);
        return 0;
}

int copy_out(const struct vm *vm, const char *path, const char *target, struct copy_wish *wish, struct event_sink *events,
             struct error **err)
{
        _cleanup_(freep) char *final = final_path(target, path, err);
        _cleanup_(freep) char *parent = final ? path_folder(final) : NULL;
        _cleanup_(nest_clear) struct nest nest = NEST_INIT;
        _cleanup_(freep) char *copy = NULL;

        if (!final || nest_make(*parent ? parent : ".", NEST_PREFIX, &nest, err) < 0)
                return -1;
        copy = path_join(nest.folder, "copy");
        return fetch(vm, path, nest.folder, wish, events, err) < 0 ? -1 : put_in_place(copy, final, err);
}

/* --- in */

/* What is sent of a file: holes are not. */
static int64_t length_of(const struct stat *status)
{
        int64_t there = (int64_t)status->st_blocks * 512;

        return there < status->st_size ? there : status->st_size;
}

/* Checks everything before anything is sent, so that it is all or nothing. A link would bring in what the user didn't name.
 * Adds what is to be sent to *length. */
static int check_source(const char *path, unsigned depth, bool recursive, int64_t *length, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        struct stat status;

        if ((depth == 0 ? stat(path, &status) : lstat(path, &status)) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (S_ISREG(status.st_mode)) {
                *length += length_of(&status);
                return 0;
        }
        if (S_ISLNK(status.st_mode)) {
                error_set(err, ERROR_FAILED, "'%s' is a link, and what it leads to was not named", path);
                return error_hint(err, "copy what it leads to by itself, or the folder without it");
        }
        if (!S_ISDIR(status.st_mode) || depth == COPY_DEPTH_MOST)
                return error_set(err, ERROR_FAILED, "'%s' is neither a file nor a folder, or is nested too deep", path);
        if (!recursive) {
                error_set(err, ERROR_USAGE, "'%s' is a folder", path);
                return error_hint(err, "machine cp -r copies folders");
        }
        if (file_list(path, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *inner = path_join(path, names.items[i]);

                if (check_source(inner, depth + 1, recursive, length, err) < 0)
                        return -1;
        }
        return 0;
}

int copy_in(const struct vm *vm, const char *source, const char *path, bool recursive, struct event_sink *events,
            struct error **err)
{
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        _cleanup_(freep) char *name = last_part(source);

        if (check_source(source, 0, recursive, &stream.length, err) < 0)
                return -1;
        /* A source without a name, such as "..", goes into a folder that exists already. */
        stream.events = events;
        strv_adds(&args, "in", in_home(path), name ? name : ".", NULL);
        if (copy_stream_open(vm, "copy.sh", &args, &stream, err) < 0 || copy_send(&stream, source, err) < 0)
                return error_wrap(err, "cannot copy '%s' into VM '%s'", source, vm->name);
        return 0;
}
