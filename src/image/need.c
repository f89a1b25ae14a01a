#include "image/need.h"

#include "host/paths.h"
#include "image/layer-mend.h"
#include "image/layer.h"
#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/text.h"
#include "vm/vm.h"

/* A template stands on a base and a layer for each profile; more than this is a circle. */
#define DEPTH_MOST 72

static void add(const char *key, const char *owner, struct strv *keys, struct strv *owners)
{
        strv_add(keys, key);
        if (owners)
                strv_add(owners, owner);
}

static int add_by_disk(const char *folder, const char *name, struct strv *keys, struct strv *owners, struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        _cleanup_(freep) char *disk = path_join(folder, LAYER_DISK);
        _cleanup_(freep) char *key = NULL;

        if (!file_exists(disk))
                return 0;
        if (qcow2_read(disk, &header, err) < 0) {
                error_wrap(err, "cannot tell which layer '%s' stands on", disk);
                return error_hint(err, "machine doctor");
        }
        key = header.backing ? layer_key_of_disk(header.backing) : NULL;
        if (key)
                add(key, name, keys, owners);
        return 0;
}

static int add_vm(const char *vms, const char *name, struct strv *keys, struct strv *owners, struct error **err)
{
        _cleanup_(freep) char *folder = path_join(vms, name);
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (!text_name_valid(name) || vm_open(&vm, name, NULL) < 0 || !vm.exists)
                return add_by_disk(folder, name, keys, owners, err);
        /* A VM that is being made stands on nothing yet. */
        if (vm.record.base || vm.record.layer)
                add(vm.record.base ? vm.record.base : vm.record.layer, name, keys, owners);
        return 0;
}

int need_layers(struct strv *keys, struct strv *owners, struct error **err)
{
        _cleanup_(freep) char *vms = paths_state("vms");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (!file_exists(vms))
                return 0;
        if (file_list(vms, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++)
                if (add_vm(vms, names.items[i], keys, owners, err) < 0)
                        return -1;
        return 0;
}

/* Does `at` stand on `key`, or is it the same? Yes when that can't be told. */
static bool stands_on(const char *at, const char *key)
{
        _cleanup_(freep) char *now = xstrdup(at);

        for (int depth = 0; depth < DEPTH_MOST; depth++) {
                char *below = NULL;
                int there = streq(now, key) ? 1 : layer_below(now, &below, NULL);

                if (!below)
                        return there != 0;
                set_string(&now, below);
        }
        return true;
}

int need_of_layer(const char *key, struct strv *vms, struct error **err)
{
        _cleanup_(strv_clear) struct strv keys = STRV_INIT;
        _cleanup_(strv_clear) struct strv owners = STRV_INIT;

        if (need_layers(&keys, &owners, err) < 0)
                return -1;
        for (size_t i = 0; i < keys.count; i++)
                if (stands_on(keys.items[i], key))
                        strv_add(vms, owners.items[i]);
        return 0;
}
