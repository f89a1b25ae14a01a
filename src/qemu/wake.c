#include <errno.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/file.h"
#include "qemu/agent.h"
#include "qemu/clock.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/moment.h"
#include "qemu/park.h"
#include "vm/identity.h"

#define QMP_MS       30000
#define AGENT_MS     30000
#define SCRIPT_LIMIT (64 << 10)
#define IDENTITY_MS  60000 /* how long the guest may do nothing while it takes on an identity */

/* Loads the guest into a QEMU. It stands still then. */
static int load(struct launch *launch, const struct moment *moment, const struct layer *layer, struct qmp **qmp,
                struct error **err)
{
        const struct launch_memory memory = moment_memory(moment);

        /* What makes it slow was said when it was started. */
        if (launch_prepare(launch, layer, NULL, err) < 0 || moment_fits(moment, launch, err) < 0 ||
            disk_inspect(launch->runtime->disk, layer, launch->vm->record.disk_bytes, NULL, err) < 0)
                return -1;
        if (launch_start(launch, &memory, err) < 0 || launch_qmp(launch, qmp, err) < 0 ||
            moment_load(moment, launch, *qmp, err) < 0) {
                launch_explain(launch, err);
                return -1;
        }
        return 0;
}

/* Once the moment is forgotten, the guest can go on only in this QEMU. */
static int go_on(struct launch *launch, struct qmp *qmp, struct error **err)
{
        /* Only a guest whose sshd had answered was parked. */
        if (runtime_mark_ready(launch->runtime, err) < 0 || moment_forget(launch->runtime->parked, err) < 0 ||
            qmp_call(qmp, "cont", NULL, deadline_in(QMP_MS), NULL, err) < 0)
                return -1;
        return launch->wire >= 0 ? park_release_network(launch->runtime, launch->wire, err) : 0;
}

/* It was another VM's guest, and becomes this one before anybody can log in to it with this one's key. */
static int take_identity(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        _cleanup_(freep) char *path = paths_shipped("guest/session/fork.sh", err);
        _cleanup_(identity_wipe) struct strbuf description = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        _cleanup_(agent_freep) struct agent *agent = NULL;
        const char *argv[] = { "/bin/sh", "-c", NULL, NULL };

        if (!path || file_read(path, SCRIPT_LIMIT, &script, err) < 0)
                return -1;
        argv[2] = script.buf;
        if (identity_describe(vm, &description, err) < 0 ||
            agent_connect(runtime->agent, deadline_in(AGENT_MS), &agent, err) < 0 ||
            agent_run(agent, argv, &description, runtime_qemu(runtime), IDENTITY_MS, err) < 0)
                return error_wrap(err, "cannot give VM '%s' its identity", vm->name);
        return 0;
}

enum outcome {
        WOKEN,
        UNLOADED, /* nothing of what was saved has been used up */
        FAILED,
};

static enum outcome try_once(const struct vm *vm, const struct runtime *runtime, const struct moment *moment,
                             const struct layer *layer, struct event_sink *events, struct error **reason)
{
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(vm, runtime);
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        launch.goes_on = !moment->copied;
        launch.halted = true;
        if (load(&launch, moment, layer, &qmp, reason) < 0)
                return UNLOADED;
        if (go_on(&launch, qmp, reason) < 0)
                return FAILED;
        if (!launch.keeps_net && !moment->copied)
                event_warning(events,
                              "the network of VM '%s' had ended while it was parked: connections that were open in the guest "
                              "have ended",
                              vm->name);
        launch_keep(&launch);
        clock_settle_woken(vm, runtime, events);
        if (!streq(moment->uuid, vm->record.uuid) && take_identity(vm, runtime, reason) < 0) {
                runtime_kill(runtime, NULL);
                return FAILED;
        }
        return WOKEN;
}

/* What keeps QEMU from being started once may pass: this computer was busy, or had no memory left. */
static enum outcome try_twice(const struct vm *vm, const struct runtime *runtime, const struct moment *moment,
                              const struct layer *layer, struct event_sink *events, struct error **reason)
{
        enum outcome outcome = try_once(vm, runtime, moment, layer, events, reason);

        if (outcome != UNLOADED || moment_has_key(moment, NULL) <= 0)
                return outcome;
        error_free(TAKE_PTR(*reason));
        return try_once(vm, runtime, moment, layer, events, reason);
}

static int give_up(const struct vm *vm, const struct runtime *runtime, const struct error *reason, struct event_sink *events,
                   struct error **err)
{
        _cleanup_(freep) char *text = reason ? error_text(reason) : NULL;

        event_warning(events, "VM '%s' boots from its disk; what was only in its memory when it was parked is lost: %s",
                      vm->name, text ? text : "this computer was restarted since, and the key for it was never on a disk");
        return park_forget(runtime, err);
}

int wake_start(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
               struct error **err)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        int has_key = -1;

        if (!file_exists(runtime->parked))
                error_set(&reason, ERROR_ENGINE, "its QEMU ended while it was being parked");
        else if (moment_open(runtime->parked, &moment, &reason) == 0)
                has_key = moment_has_key(&moment, &reason);
        if (has_key > 0) {
                if (layer_use(layer->key, &lock, err) < 0)
                        return -1;
                if (try_twice(vm, runtime, &moment, layer, events, &reason) == WOKEN)
                        return 1;
        }
        return give_up(vm, runtime, reason, events, err);
}
