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
#include "qemu/snapshot.h"
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

        if (moment_fits(moment, launch, err) < 0 ||
            disk_inspect(launch->runtime->disk, layer, launch->vm->record.disk_bytes, NULL, err) < 0)
                return -1;
        if (launch_start(launch, &memory, err) < 0 || launch_qmp(launch, qmp, err) < 0 ||
            moment_load(moment, launch, *qmp, err) < 0) {
                launch_explain(launch, err);
                return -1;
        }
        return 0;
}

/* Once the moment is spent, the guest can go on only in this QEMU. */
static int go_on(struct launch *launch, struct qmp *qmp, struct error **err)
{
        /* Only a guest whose sshd had answered was parked. */
        if (runtime_mark_ready(launch->runtime, err) < 0 || park_spend(launch->runtime, err) < 0 ||
            qmp_call(qmp, "cont", NULL, deadline_in(QMP_MS), NULL, err) < 0)
                return -1;
        return launch->wire >= 0 ? park_release_network(launch->runtime, launch->wire, err) : 0;
}

/* It was another VM's guest, and becomes this one before anybody can log in to it with this one's key. */
static int take_identity(const struct vm *vm, const struct runtime *runtime, struct error **err)
{
        static const char *const argv[] = { "/usr/bin/perl", "-", NULL };
        _cleanup_(freep) char *path = paths_shipped("guest/session/fork", err);
        _cleanup_(identity_wipe) struct strbuf script = STRBUF_INIT;
        _cleanup_(agent_freep) struct agent *agent = NULL;

        if (!path || file_read(path, SCRIPT_LIMIT, &script, err) < 0)
                return -1;
        /* Perl gives a script what comes after this line. */
        strbuf_adds(&script, "\n__END__\n");
        if (identity_describe(vm, &script, err) < 0 || agent_connect(runtime->agent, deadline_in(AGENT_MS), &agent, err) < 0 ||
            agent_run(agent, argv, &script, runtime_qemu(runtime), IDENTITY_MS, err) < 0)
                return error_wrap(err, "cannot give VM '%s' its identity", vm->name);
        return 0;
}

enum outcome {
        WOKEN,
        UNSTARTED, /* no VM could be started now, woken or not */
        UNLOADED,  /* QEMU does not take what was saved, which is still there */
        LOST,      /* the guest had begun to run */
};

static enum outcome try_once(const struct vm *vm, const struct runtime *runtime, const struct moment *moment,
                             const struct layer *layer, struct event_sink *events, struct error **reason)
{
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(vm, runtime);
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        launch.goes_on = !moment->copied;
        launch.halted = true;
        /* What makes it slow was said when it was started. */
        if (launch_prepare(&launch, layer, NULL, reason) < 0)
                return UNSTARTED;
        if (load(&launch, moment, layer, &qmp, reason) < 0)
                return UNLOADED;
        if (go_on(&launch, qmp, reason) < 0)
                return LOST;
        if (!launch.keeps_net && !moment->copied)
                event_warning(events,
                              "the network of VM '%s' had ended while it was parked: connections that were open in the guest "
                              "have ended",
                              vm->name);
        launch_keep(&launch);
        if (!streq(moment->uuid, vm->record.uuid) && take_identity(vm, runtime, reason) < 0) {
                runtime_kill(runtime, NULL);
                return LOST;
        }
        /* If that fails, the next command finds that nothing is missing, and tries it again. */
        park_forget_saved(runtime, NULL);
        clock_settle_woken(vm, runtime, events);
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

#define SET_ASIDE "that could not be woken"

/* What QEMU doesn't take is kept as a snapshot, with the disk as it is now, so that it can be tried once more. */
static int give_up(struct vm *vm, const struct runtime *runtime, const struct error *reason, bool keep,
                   struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *text = reason ? error_text(reason) : NULL;

        if (keep && snapshot_set_aside(vm, SET_ASIDE, err) < 0)
                return -1;
        event_warning(events, "VM '%s' boots from its disk; what was only in its memory when it was parked is lost: %s",
                      vm->name, text ? text : "this computer was restarted since, and the key for it was never on a disk");
        if (keep)
                event_note(events, "it is kept as a snapshot: machine restore %s '" SET_ASIDE "' tries it once more", vm->name);
        return park_forget(runtime, err);
}

int wake_start(struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
               struct error **err)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        enum outcome outcome = LOST;
        int has_key = -1;

        if (!file_exists(runtime->parked))
                error_set(&reason, ERROR_ENGINE, "its QEMU ended while it was being parked");
        else if (moment_open(runtime->parked, &moment, &reason) == 0)
                has_key = moment_has_key(&moment, &reason);
        if (has_key > 0) {
                if (layer_use(layer->key, &lock, err) < 0)
                        return -1;
                outcome = try_twice(vm, runtime, &moment, layer, events, &reason);
                lock_release(&lock);
        }
        if (outcome == WOKEN)
                return 1;
        return outcome == UNSTARTED ? error_give(err, TAKE_PTR(reason))
                                    : give_up(vm, runtime, reason, outcome == UNLOADED, events, err);
}
