#include "config/trust.h"

#include <errno.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lib/json.h"
#include "lib/lock.h"

#define CHECKOUT_MOST (1 << 20)
#define STORE_MOST    (16 << 20)
#define LOCK_WAIT_MS  10000

/*
 * The file under the resolved path of its folder. A .machine.toml that is a symlink counts as a file of the folder it is in:
 * trust in its target was given to another checkout.
 */
static char *resolve(const char *file, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(file);
        _cleanup_(freep) char *base = path_base(file);
        _cleanup_(freep) char *resolved = realpath(folder, NULL);

        if (!resolved) {
                error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED, "cannot find '%s'", folder);
                return NULL;
        }
        return path_join(resolved, base);
}

/* Reads the whole record as a JSON object, which is empty if the file is missing. Returns NULL with an error. */
static json_t *read_store(const char *path, struct error **err)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *aside = NULL;
        json_t *store = json_read(path, STORE_MOST, &error);

        if (json_is_object(store))
                return store;
        if (!store && error->kind == ERROR_NOT_FOUND)
                return json_object();
        json_decref(store);
        if (err) {
                error_free(*err);
                *err = TAKE_PTR(error);
        }
        error_wrap(err, "cannot read from '%s' which checkouts are trusted", path);
        aside = file_aside_command(path);
        error_hint(err, "%s, then trust your checkouts again: machine trust", aside);
        return NULL;
}

int trust_get(const char *file, const void *content, size_t length, enum trust *out, struct error **err)
{
        _cleanup_(freep) char *store_path = paths_state("trust.json");
        _cleanup_(json_decrefp) json_t *store = NULL;
        _cleanup_(freep) char *path = resolve(file, err);
        _cleanup_(freep) char *hash = NULL;
        const json_t *recorded;

        if (!path)
                return -1;
        store = read_store(store_path, err);
        if (!store)
                return -1;
        recorded = json_object_get(store, path);
        hash = hash_text(content, length);
        if (!recorded)
                *out = TRUST_UNKNOWN;
        else
                *out = json_is_string(recorded) && streq(json_string_value(recorded), hash) ? TRUST_GIVEN : TRUST_CHANGED;
        return 0;
}

/* Records `hash` for `path`, or removes the record when `hash` is NULL. */
static int change(const char *path, const char *hash, struct error **err)
{
        _cleanup_(freep) char *folder = paths_state(NULL);
        _cleanup_(freep) char *store_path = paths_state("trust.json");
        _cleanup_(freep) char *lock_path = paths_state("trust.lock");
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(json_decrefp) json_t *store = NULL;

        if (file_make_folders(folder, 0700, err) < 0 || lock_acquire(&lock, lock_path, LOCK_EXCLUSIVE, LOCK_WAIT_MS, err) < 0)
                return -1;
        store = read_store(store_path, err);
        if (!store)
                return -1;
        if (hash && json_object_set_new(store, path, json_string(hash)) < 0)
                return error_set(err, ERROR_FAILED, "cannot record trust in '%s': its path is not UTF-8", path);
        if (!hash && json_object_del(store, path) < 0)
                return 0;
        return json_write(store_path, store, 0600, err);
}

int trust_give(const char *file, const void *content, size_t length, struct error **err)
{
        _cleanup_(freep) char *path = resolve(file, err);
        _cleanup_(freep) char *hash = path ? hash_text(content, length) : NULL;

        return path ? change(path, hash, err) : -1;
}

int trust_withdraw(const char *file, struct error **err)
{
        /* The checkout may be gone. */
        _cleanup_(freep) char *path = resolve(file, NULL);

        return change(path ? path : file, NULL, err);
}

int trust_files(struct strv *files, struct error **err)
{
        _cleanup_(freep) char *path = paths_state("trust.json");
        _cleanup_(json_decrefp) json_t *store = read_store(path, err);

        if (!store)
                return -1;
        for (void *item = json_object_iter(store); item; item = json_object_iter_next(store, item))
                strv_add(files, json_object_iter_key(item));
        strv_sort(files);
        return 0;
}
