#include "base.h"

#include <unistd.h>

#include "base-build.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/lock.h"

#define MANIFEST_LIMIT (1 << 20)
/* A build is given up after half an hour; another's is not waited for any longer. */
#define LOCK_TIMEOUT_MS (31 * 60 * 1000)

void base_image_clear(struct base_image *image)
{
        free(image->key);
        free(image->folder);
        free(image->disk);
        free(image->kernel);
        free(image->initrd);
        *image = (struct base_image)BASE_IMAGE_INIT;
}

static void fill_in(struct base_image *image, const char *key, int64_t disk_bytes)
{
        _cleanup_(freep) char *layers = paths_data("layers");

        image->key = xstrdup(key);
        image->folder = path_join(layers, key);
        image->disk = path_join(image->folder, "disk.qcow2");
        image->kernel = path_join(image->folder, "vmlinuz");
        image->initrd = path_join(image->folder, "initrd");
        image->disk_bytes = disk_bytes;
}

static void hand_out(struct base_image *image, struct base_image *out)
{
        *out = *image;
        *image = (struct base_image)BASE_IMAGE_INIT;
}

/* Is the layer there, whole and what it says? 1, 0, or -1 with an error. Its virtual size is then in `image`. */
static int look(struct base_image *image, struct error **err)
{
        _cleanup_(freep) char *path = path_join(image->folder, "manifest.json");
        _cleanup_(json_decrefp) json_t *manifest = NULL;
        const char *const files[] = { image->disk, image->kernel, image->initrd };
        const char *key;

        if (!file_exists(image->folder))
                return 0;
        manifest = json_read(path, MANIFEST_LIMIT, err);
        if (!manifest || json_get_string(manifest, "key", &key, err) < 0 ||
            json_get_int(manifest, "disk_bytes", &image->disk_bytes, err) < 0)
                goto broken;
        if (!streq(key, image->key)) {
                error_set(err, ERROR_ENGINE, "'%s' belongs to another layer", path);
                goto broken;
        }
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (access(files[i], R_OK) < 0) {
                        error_errno(err, ERROR_ENGINE, "cannot read '%s'", files[i]);
                        goto broken;
                }
        return 1;

broken:
        error_wrap(err, "the base image '%s' is damaged", image->folder);
        error_set_kind(err, ERROR_ENGINE);
        return error_hint(err, "rm -r %s", image->folder);
}

int base_open(const char *key, struct base_image *out, struct error **err)
{
        _cleanup_(base_image_clear) struct base_image image = BASE_IMAGE_INIT;
        int there;

        fill_in(&image, key, 0);
        there = look(&image, err);
        if (there < 0)
                return -1;
        if (there == 0) {
                error_set(err, ERROR_ENGINE,
                          "the base image '%s' is gone; the disks of the VMs that stand on it are useless without it",
                          image.folder);
                return error_hint(err, "put it back from a backup, or make each of these VMs anew: machine rebuild NAME");
        }
        hand_out(&image, out);
        return 0;
}

static int find(const struct base_inputs *inputs, struct base_image *out, struct error **err)
{
        _cleanup_(base_image_clear) struct base_image image = BASE_IMAGE_INIT;
        int there;

        fill_in(&image, inputs->key, inputs->disk_bytes);
        there = look(&image, err);
        if (there >= 0)
                hand_out(&image, out);
        return there;
}

int base_find(const char *user, struct base_image *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;

        if (base_inputs_collect(user, &inputs, err) < 0)
                return -1;
        return find(&inputs, out, err);
}

/* Removes what killed builders of this key left: the lock is ours, so they are gone. */
static int remove_leftovers(const char *layers, const char *key, struct error **err)
{
        _cleanup_(freep) char *prefix = xasprintf("%s.tmp-", key);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(layers, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(layers, names.items[i]);

                if (starts_with(names.items[i], prefix) && (base_build_tidy(path, err) < 0 || file_remove(path, err) < 0))
                        return -1;
        }
        return 0;
}

/* Builds beside the layer's place and renames. */
static int build(const struct base_inputs *inputs, const char *layers, const char *folder, const struct lock *lock,
                 struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *temporary = xasprintf("%s.tmp-%ld", folder, (long)getpid());
        _cleanup_(freep) char *logs = paths_state("logs");
        _cleanup_(freep) char *log = xasprintf("%s/base-%s.log", logs, inputs->key);

        if (remove_leftovers(layers, inputs->key, err) < 0 || base_build_check(layers, err) < 0 ||
            file_make_folders(logs, 0700, err) < 0 || file_make_private_folder(temporary, err) < 0)
                return -1;
        if (base_build(inputs, temporary, log, lock, events, err) < 0) {
                /* What can't be removed now, the next builder removes. */
                if (base_build_tidy(temporary, NULL) == 0)
                        file_remove(temporary, NULL);
                return -1;
        }
        if (base_build_tidy(temporary, err) < 0 || file_sync_folder(temporary, err) < 0)
                return -1;
        return file_rename(temporary, folder, err);
}

int base_ensure(const char *user, struct event_sink *events, struct base_image *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;
        _cleanup_(base_image_clear) struct base_image image = BASE_IMAGE_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *layers = paths_data("layers");
        _cleanup_(freep) char *lock_path = NULL;
        int there;

        if (base_inputs_collect(user, &inputs, err) < 0)
                return -1;
        there = find(&inputs, &image, err);
        if (there < 0)
                return -1;
        if (there == 0) {
                lock_path = xasprintf("%s.lock", image.folder);
                if (file_make_folders(layers, 0700, err) < 0)
                        return -1;
                if (lock_is_held(lock_path, NULL) > 0)
                        event_note(events, "another process is building the base image; waiting for it");
                if (lock_acquire(&lock, lock_path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, err) < 0)
                        return -1;
                base_image_clear(&image);
                there = find(&inputs, &image, err);
                if (there < 0)
                        return -1;
        }
        if (there == 0) {
                event_begin(events, "base", "building the base image (once; about a minute)");
                if (build(&inputs, layers, image.folder, &lock, events, err) < 0) {
                        event_end(events, "base", EVENT_FAILED, NULL);
                        return -1;
                }
                event_end(events, "base", EVENT_DONE, NULL);
        }
        hand_out(&image, out);
        return 0;
}
