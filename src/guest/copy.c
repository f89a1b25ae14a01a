#include "guest/copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define DEPTH_MOST 200

static void scp_argv(const struct vm *vm, bool recursive, struct strv *argv)
{
        strv_adds(argv, "scp", "-q", "-F", NULL);
        strv_take(argv, path_join(vm->folder, "ssh_config"));
        if (recursive)
                strv_add(argv, "-r");
        strv_add(argv, "--");
}

/* scp takes *, ? and [ in a path of the other side for patterns: a name is a name. A leading ~/ is the home, where it begins.
 */
static char *remote(const struct vm *vm, const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(freep) char *alias = vm_alias(vm->name);

        if (streq(path, "~"))
                path = ".";
        path += starts_with(path, "~/") ? 2 : 0;
        strbuf_addf(&out, "%s:", alias);
        for (const char *c = *path ? path : "."; *c; c++) {
                if (strchr("*?[\\", *c))
                        strbuf_addc(&out, '\\');
                strbuf_addc(&out, *c);
        }
        return strbuf_take(&out);
}

static int run(const struct strv *argv, struct error **err)
{
        return process_check(&(struct process_spec){ .argv = strv_argv(argv), .timeout_ms = -1 }, NULL, err);
}

/* --- out */

static int check_name(const char *name, const char *path, struct error **err)
{
        _cleanup_(freep) char *visible = text_visible_dup(name);
        _cleanup_(freep) char *shown = NULL;

        if (streq(name, visible))
                return 0;
        shown = text_visible_dup(path);
        return error_set(err, ERROR_FAILED, "a name in the copy has control characters: '%s'", shown);
}

/* In a folder that only we write to. */
static int look_through(const char *path, unsigned depth, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        struct stat status;

        if (lstat(path, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (S_ISREG(status.st_mode))
                return 0;
        if (!S_ISDIR(status.st_mode) || depth == DEPTH_MOST)
                return error_set(err, ERROR_FAILED,
                                 "the copy has something that is no file and no folder, or lies too deep: '%s'", path);
        if (file_list(path, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *inner = path_join(path, names.items[i]);

                if (check_name(names.items[i], inner, err) < 0 || look_through(inner, depth + 1, err) < 0)
                        return -1;
        }
        return 0;
}

/* The last part of what was asked for: from our side of the command line. NULL where that is no name. Owned by the caller. */
static char *name_of(const char *path)
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
        _cleanup_(freep) char *name = name_of(path);

        if (!file_is_folder(target))
                return xstrdup(target);
        if (name)
                return path_join(target, name);
        error_set(err, ERROR_USAGE, "'%s' has no name that its copy in '%s' could have", path, target);
        return NULL;
}

/* A folder takes nobody's place, and a file not a folder's. */
static int put_in_place(const char *copy, const char *final, struct error **err)
{
        struct stat there;

        if (lstat(final, &there) == 0 && (S_ISDIR(there.st_mode) || file_is_folder(copy)))
                return error_set(err, ERROR_FAILED, "'%s' is there already", final);
        return file_rename(copy, final, err);
}

static int fetch(const struct vm *vm, const char *path, const char *copy, bool recursive, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        scp_argv(vm, recursive, &argv);
        strv_take(&argv, remote(vm, path));
        strv_add(&argv, copy);
        return run(&argv, err) < 0 ? error_wrap(err, "cannot copy '%s' from VM '%s'", path, vm->name)
                                   : look_through(copy, 0, err);
}

int copy_out(const struct vm *vm, const char *path, const char *target, bool recursive, struct error **err)
{
        _cleanup_(freep) char *final = final_path(target, path, err);
        _cleanup_(freep) char *parent = final ? path_folder(final) : NULL;
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *copy = NULL;
        int status;

        if (!final)
                return -1;
        /* A name with a colon would be another computer's. */
        folder = xasprintf("%s%s/.machine-cp.XXXXXX", *parent == '/' ? "" : "./", *parent ? parent : ".");
        if (!mkdtemp(folder))
                return error_errno(err, ERROR_FAILED, "cannot make a folder in '%s'", *parent ? parent : ".");
        copy = path_join(folder, "copy");
        status = fetch(vm, path, copy, recursive, err);
        if (status == 0)
                status = put_in_place(copy, final, err);
        file_remove(folder, status == 0 ? err : NULL);
        return status;
}

/* --- in */

/* scp would follow a link, and so bring in what wasn't named. */
static int check_source(const char *path, unsigned depth, bool recursive, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        struct stat status;

        if ((depth == 0 ? stat(path, &status) : lstat(path, &status)) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (S_ISREG(status.st_mode))
                return 0;
        if (S_ISLNK(status.st_mode)) {
                error_set(err, ERROR_FAILED, "'%s' is a link, and what it leads to was not named", path);
                return error_hint(err, "copy what it leads to by itself, or the folder without it");
        }
        if (!S_ISDIR(status.st_mode) || depth == DEPTH_MOST)
                return error_set(err, ERROR_FAILED, "'%s' is no file and no folder, or lies too deep", path);
        if (!recursive) {
                error_set(err, ERROR_USAGE, "'%s' is a folder", path);
                return error_hint(err, "machine cp -r");
        }
        if (file_list(path, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *inner = path_join(path, names.items[i]);

                if (check_source(inner, depth + 1, recursive, err) < 0)
                        return -1;
        }
        return 0;
}

int copy_in(const struct vm *vm, const char *source, const char *path, bool recursive, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (check_source(source, 0, recursive, err) < 0)
                return -1;
        scp_argv(vm, recursive, &argv);
        /* A name with a colon would be another computer's. */
        strv_addf(&argv, "%s%s", *source == '/' ? "" : "./", source);
        strv_take(&argv, remote(vm, path));
        return run(&argv, err) < 0 ? error_wrap(err, "cannot copy '%s' into VM '%s'", source, vm->name) : 0;
}
