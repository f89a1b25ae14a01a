#include <fcntl.h>
#include <unistd.h>

#include "boot.h"
#include "disk.h"
#include "engine.h"
#include "fork.h"
#include "launch.h"
#include "lib/file.h"
#include "template.h"

#define QMP_MS 30000

static int mark_ready(const struct runtime *runtime, struct error **err)
{
        _cleanup_(closep) int fd = open(runtime->ready, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make '%s'", runtime->ready) : 0;
}

static int boot_cold(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
                     struct event_sink *notes, struct error **err)
{
        _cleanup_(launch_clear) struct launch launch = { .vm = vm, .runtime = runtime, .lock = LOCK_INIT };
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        if (launch_prepare(&launch, layer, notes, err) < 0 || disk_grow(runtime->disk, vm->record.disk_bytes, err) < 0 ||
            launch_start(&launch, &(struct launch_memory){ 0 }, err) < 0)
                return -1;
        if (launch_qmp(&launch, &qmp, err) < 0 ||
            boot_wait(runtime, qmp, boot_limit_ms(launch.acceleration.kvm), events, err) < 0) {
                launch_explain(&launch, err);
                return -1;
        }
        launch_keep(&launch);
        return 0;
}

/* What it was found to stand on, and whether a fork is due, decides how it starts. */
static int start(struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        struct event_sink *notes = events;

        if (!file_exists(runtime->disk))
                return error_set(err, ERROR_ENGINE, "VM '%s' has no disk", vm->name);
        if (!vm->record.base)
                return error_set(err, ERROR_ENGINE, "the record of VM '%s' does not say what its disk stands on", vm->name);
        if (layer_open(vm->record.base, &layer, err) < 0)
                return -1;
        if (fork_is_due(runtime)) {
                int forked = fork_start(vm, runtime, &layer, events, err);

                vm->forked = forked > 0;
                if (forked != 0)
                        return forked < 0 ? -1 : 0;
                notes = NULL;
        }
        return boot_cold(vm, runtime, &layer, events, notes, err);
}

/* Another run started it. */
static int join(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err)
{
        struct launch launch = { .vm = vm, .runtime = runtime, .lock = LOCK_INIT };
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        event_note(events, "VM '%s' runs already: waiting for its guest", vm->name);
        acceleration_find(&acceleration);
        if (runtime_qmp(runtime, -1, deadline_in(QMP_MS), &qmp, err) < 0 ||
            boot_wait(runtime, qmp, boot_limit_ms(acceleration.kvm), events, err) < 0) {
                launch_explain(&launch, err);
                return error_hint(err, "machine down %s", vm->name);
        }
        return 0;
}

static int start_somehow(struct vm *vm, const struct runtime *runtime, bool alive, struct event_sink *events,
                         struct error **err)
{
        int status;

        /* What a killed fork left running has no identity yet, and never will. */
        if (alive && fork_is_due(runtime)) {
                if (runtime_kill(runtime, err) < 0)
                        return -1;
                alive = false;
        }
        status = alive ? join(vm, runtime, events, err) : start(vm, runtime, events, err);
        return status < 0 ? -1 : mark_ready(runtime, err);
}

int engine_start(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        vm->forked = false;
        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive < 0)
                return -1;
        if (alive && file_exists(runtime.ready))
                return 0;
        event_begin(events, "start", "starting VM '%s'", vm->name);
        if (start_somehow(vm, &runtime, alive, events, err) < 0) {
                event_end(events, "start", EVENT_FAILED, NULL);
                error_wrap(err, "cannot start VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "start", EVENT_DONE, NULL);
        return 0;
}
