#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/interrupt.h"
#include "qemu/boot.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/launch.h"
#include "qemu/mend.h"
#include "qemu/park.h"
#include "qemu/restore.h"
#include "qemu/snapshot.h"
#include "qemu/template.h"
#include "vm/rules.h"

#define QMP_MS 30000

/* A disk that is smaller than the VM's should be is enlarged by QEMU before its guest runs. No other program opens what a guest
 * has written. */
static int prepare_disk(struct launch *launch, const struct layer *layer, struct error **err)
{
        const struct vm *vm = launch->vm;
        int64_t has;

        if (disk_inspect(launch->runtime->disk, layer, vm->record.disk_bytes, &has, err) < 0)
                return err && (*err)->hint ? -1 : vm_hint_aside(vm, err);
        launch->halted = has < vm->record.disk_bytes;
        return 0;
}

static int begin_boot(const struct vm *vm, struct qmp *qmp, struct error **err)
{
        deadline limit = deadline_in(QMP_MS);

        return disk_grow(qmp, vm->record.disk_bytes, limit, err) < 0 ? -1 : qmp_call(qmp, "cont", NULL, limit, NULL, err);
}

static int go_on(const struct launch *launch, struct qmp *qmp, struct error **err)
{
        return launch->halted ? begin_boot(launch->vm, qmp, err) : 0;
}

/* A run that was killed before its go_on() left a guest that waits for it. */
static int go_on_for_another(const struct vm *vm, struct qmp *qmp, struct error **err)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const char *run;

        if (qmp_call(qmp, "query-status", NULL, deadline_in(QMP_MS), &reply, err) < 0 ||
            json_get_string(reply, "status", &run, err) < 0)
                return -1;
        return streq(run, "prelaunch") ? begin_boot(vm, qmp, err) : 0;
}

/* Is the guest paused so that it can go on later? Then the error says why, and QEMU is left alone: nothing is lost. */
static bool stands_still(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (engine_inspect(vm, &status, NULL) < 0 || !status.waits)
                return false;
        vm_refuse_state(vm, &status, err);
        return true;
}

static int boot_cold(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
                     struct event_sink *notes, struct error **err)
{
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(vm, runtime);
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        if (launch_prepare(&launch, layer, notes, err) < 0 || prepare_disk(&launch, layer, err) < 0 ||
            launch_start(&launch, &(struct launch_memory){ 0 }, err) < 0)
                return -1;
        if (launch_qmp(&launch, &qmp, err) < 0 || go_on(&launch, qmp, err) < 0 ||
            boot_wait(runtime, qmp, boot_quiet_ms(launch.acceleration.kvm), events, err) < 0) {
                /* A guest that is cut off while it boots has its disk to mend. It goes on, and the next start joins it. */
                if (interrupt_pending() || stands_still(vm, err)) {
                        launch_keep(&launch);
                        return -1;
                }
                launch_explain(&launch, err);
                return -1;
        }
        launch_keep(&launch);
        return 0;
}

/* What is there decides how it starts: a guest that was parked, a restore that is due, or a disk alone. */
static int start(struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        struct event_sink *notes = events;

        if (!file_exists(runtime->disk))
                return error_set(err, ERROR_ENGINE, "VM '%s' has no disk", vm->name);
        if (!vm->record.base) {
                error_set(err, ERROR_ENGINE, "neither the record nor the disk of VM '%s' says which layer it stands on",
                          vm->name);
                return vm_hint_aside(vm, err);
        }
        if (layer_open_mended(vm->record.base, events, &layer, err) < 0)
                return -1;
        if (park_is_due(runtime)) {
                int woken = wake_start(vm, runtime, &layer, events, err);

                vm->woken = woken > 0;
                if (woken != 0)
                        return woken < 0 ? -1 : 0;
                layer_clear(&layer);
                if (layer_open(vm->record.base, &layer, err) < 0)
                        return -1;
        }
        if (restore_is_due(runtime)) {
                int restored = restore_start(vm, runtime, &layer, events, err);

                vm->from_template = restored > 0;
                if (restored != 0)
                        return restored < 0 ? -1 : 0;
                notes = NULL;
        }
        return boot_cold(vm, runtime, &layer, events, notes, err);
}

/* Waits for a VM that another run started. */
static int join(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        struct launch launch = LAUNCH_INIT(vm, runtime);
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        /* It has lost more than its runtime folder. Whoever connects to its guest waits then. */
        if (!file_exists(runtime->qmp))
                return 0;
        event_note(events, "VM '%s' is already running: waiting for its guest", vm->name);
        acceleration_find(&acceleration);
        if (engine_resume(vm, err) < 0)
                return -1;
        if (runtime_qmp(runtime, -1, deadline_in(QMP_MS), &qmp, err) < 0 || go_on_for_another(vm, qmp, err) < 0 ||
            boot_wait(runtime, qmp, boot_quiet_ms(acceleration.kvm), events, err) < 0) {
                if (interrupt_pending() || stands_still(vm, err))
                        return -1;
                launch_explain(&launch, err);
                return error_hint(err, "machine down %s", vm->name);
        }
        return 0;
}

static int start_somehow(struct vm *vm, const struct runtime *runtime, bool alive, struct event_sink *events,
                         struct error **err)
{
        int status;

        /* What a killed restore left running has no identity yet, and never will. */
        if (alive && restore_is_due(runtime)) {
                if (runtime_kill(runtime, err) < 0)
                        return -1;
                alive = false;
        }
        if (alive && park_is_due(runtime)) {
                int settled = park_settle(vm, runtime, err);

                if (settled != 0)
                        return settled < 0 ? -1 : runtime_mark_ready(runtime, err);
                alive = false;
        }
        status = alive ? join(vm, runtime, events, err) : start(vm, runtime, events, err);
        return status < 0 ? -1 : runtime_mark_ready(runtime, err);
}

/* Puts right what a VM that runs has lost. Returns 1 when it is still alive, 0 when it has been stopped for that. */
static int mend_or_stop(struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        int stop = restore_is_due(runtime) || park_is_due(runtime) ? 0 : mend(vm, runtime, events, err);

        if (stop <= 0)
                return stop < 0 ? -1 : 1;
        return engine_stop(vm, events, err) < 0 ? -1 : 0;
}

int engine_start(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        vm->from_template = vm->woken = false;
        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        if (snapshot_settle(vm, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive > 0)
                alive = mend_or_stop(vm, &runtime, events, err);
        if (alive < 0)
                return -1;
        if (alive && file_exists(runtime.ready) && !park_is_due(&runtime))
                return engine_resume(vm, err);
        event_begin(events, "start", park_is_due(&runtime) ? "waking VM '%s'" : "starting VM '%s'", vm->name);
        if (rules_write(vm, err) < 0 || start_somehow(vm, &runtime, alive, events, err) < 0) {
                event_end(events, "start", EVENT_FAILED, NULL);
                error_wrap(err, "cannot start VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "start", EVENT_DONE, NULL);
        return 0;
}
