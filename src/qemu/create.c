#include <errno.h>
#include <unistd.h>

#include "image/base.h"
#include "image/layer-mend.h"
#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/launch.h"
#include "qemu/park.h"
#include "qemu/restore.h"
#include "qemu/runtime.h"
#include "qemu/template.h"

static int refuse_alive(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        int alive = runtime_is_alive(runtime, err);

        if (alive <= 0)
                return alive;
        error_set(err, ERROR_ENGINE, "VM '%s' is running", vm->name);
        return error_hint(err, "machine down %s", vm->name);
}

static int find_template(const struct vm *vm, const struct layer *base, struct event_sink *events, struct layer *out,
                         struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        struct template_wish wish;

        if (toolkit_find(&toolkit, err) < 0)
                return -1;
        acceleration_find(&acceleration);
        wish = template_wish_for(&vm->record, base, &toolkit, &acceleration);
        return template_ensure(&wish, events, out, err);
}

int create_find_base(const struct vm_record *record, struct event_sink *events, struct layer *out, struct lock *lock,
                     struct error **err)
{
        if ((record->layer ? layer_open_mended(record->layer, events, out, err)
                           : base_ensure(record->user, NULL, events, out, err)) < 0)
                return -1;
        return layer_use(out->key, lock, err);
}

/* Chooses the layer that the disk will stand on. A VM without a template starts more slowly, and is otherwise the same. */
static int choose_layer(const struct vm *vm, struct event_sink *events, struct layer *out, struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *text = NULL;

        if (create_find_base(&vm->record, events, &base, &lock, err) < 0)
                return -1;
        if (!vm->record.cold && find_template(vm, &base, events, out, &reason) == 0)
                return 0;
        if (interrupt_check(err) < 0)
                return -1;
        if (reason) {
                text = error_text(reason);
                event_warning(events, "VM '%s' boots cold, because there is no warm template: %s", vm->name, text);
        }
        *out = base;
        base = (struct layer)LAYER_INIT;
        return 0;
}

/* The record names the layer before anything stands on it, so that nobody takes it for unused. */
static int make(struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct error **err)
{
        bool warm = template_is(layer);

        set_string(&vm->record.base, xstrdup(layer->key));
        if (vm_save(vm, err) < 0 || restore_forget(runtime, err) < 0 ||
            disk_make(runtime->disk, layer, warm ? 0 : vm->record.disk_bytes, err) < 0)
                return -1;
        return warm ? restore_plan(runtime, err) : 0;
}

int engine_create(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        runtime_find_files(vm, &runtime);
        if (refuse_alive(vm, &runtime, err) < 0)
                return -1;
        if (launch_check_memory(&vm->record, err) < 0)
                return -1;
        /* A disk that may have been booted from is never replaced. */
        if (vm->record.intent != INTENT_CREATE && vm->record.base && file_exists(runtime.disk))
                return 0;
        if (choose_layer(vm, events, &layer, err) < 0 || layer_use(layer.key, &lock, err) < 0)
                return -1;
        event_begin(events, "disk", "making the disk of VM '%s'", vm->name);
        if (make(vm, &runtime, &layer, err) < 0) {
                event_end(events, "disk", EVENT_FAILED, NULL);
                return error_wrap(err, "cannot make the disk of VM '%s'", vm->name);
        }
        event_end(events, "disk", EVENT_DONE, NULL);
        return 0;
}

int engine_remains(const struct vm *vm, struct vm_record *out, struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        runtime_find_files(vm, &runtime);
        alive = runtime_is_alive(&runtime, err);
        if (alive < 0)
                return -1;
        if (!file_exists(runtime.disk))
                return alive;
        if (access(runtime.disk, R_OK) < 0) {
                error_errno(err, ERROR_ENGINE, "cannot read '%s'", runtime.disk);
                return file_hint(err, runtime.disk, errno);
        }
        /* A disk that says nothing is all the same one that must not be replaced. */
        if (qcow2_read(runtime.disk, &header, NULL) < 0)
                return 1;
        out->disk_bytes = header.bytes;
        set_string(&out->base, header.backing ? layer_key_of_disk(header.backing) : NULL);
        return 1;
}

int engine_remove(struct vm *vm, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;

        if (runtime_find(vm, &runtime, err) < 0 || refuse_alive(vm, &runtime, err) < 0 ||
            (park_is_due(&runtime) && park_forget(&runtime, err) < 0) || runtime_end_net(&runtime, RUNTIME_NET_MS, err) < 0)
                return -1;
        if (file_remove(runtime.folder, err) < 0 || file_remove(runtime.sockets, err) < 0 ||
            disk_remove(runtime.disk, err) < 0 || restore_forget(&runtime, err) < 0 || file_remove(runtime.logs, err) < 0 ||
            file_remove(runtime.control, err) < 0 || file_remove(runtime.lock, err) < 0)
                return error_wrap(err, "cannot remove VM '%s'", vm->name);
        return 0;
}
