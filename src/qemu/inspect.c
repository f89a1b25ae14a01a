/* What state VMs are in: their files and locks say whether they live, and QEMU says what their guests do. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/layer.h"
#include "lib/file.h"
#include "lib/os.h"
#include "qemu/engine.h"
#include "qemu/holder.h"
#include "qemu/park.h"
#include "qemu/runtime.h"
#include "qemu/socket.h"
#include "vm/monitor.h"

/* A QEMU that is busy answers in milliseconds, on a host that swaps in a second or two. All are asked before the first is
 * waited for, so several that are silent take no longer than one. */
#define ANSWER_MS 5000
/* Even then, one more gets this long. */
#define LEAST_MS 200
/* A QEMU that doesn't listen must not keep anybody waiting longer. */
#define LOOK_MS 500

/* One VM that is being asked. */
struct look {
        struct runtime runtime;
        struct monitor monitor;
        pid_t qemu; /* 0 = not known yet */
        bool alive;
        bool busy; /* others are asking it at the moment */
};

static void look_clear(struct look *look)
{
        monitor_clear(&look->monitor);
        runtime_clear(&look->runtime);
}

/*
 * A stopped VM whose disk stands on a layer that is gone can't be started again. Only the start checks whether the layer is
 * whole: a list of a thousand VMs comes here a thousand times.
 */
static int check_base(const struct vm *vm, struct vm_status *status, struct error **err)
{
        _cleanup_(freep) char *folder = vm->record.base ? layer_folder(vm->record.base) : NULL;
        _cleanup_(freep) char *disk = folder ? path_join(folder, LAYER_DISK) : NULL;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;

        if (!disk || file_exists(disk) || layer_open(vm->record.base, &image, &reason) == 0)
                return 0;
        if (reason->kind != ERROR_ENGINE) {
                if (err)
                        *err = TAKE_PTR(reason);
                return -1;
        }
        status->state = VM_BROKEN;
        status->reason = error_text(reason);
        return 0;
}

/* Sends the question, if QEMU has room for one more that asks. One that was started by an older program doesn't have the
 * socket, and only its process tells that it runs. */
static void ask(struct look *look, deadline limit)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        uid_t user;
        int fd;

        look->busy = false;
        if (socket_connect(look->runtime.look, limit, &fd, &reason) < 0) {
                look->busy = reason->kind != ERROR_NOT_FOUND;
                return;
        }
        if (os_peer_pid(fd, &look->qemu, &user) < 0)
                look->qemu = 0;
        monitor_ask(&look->monitor, fd);
}

static void begin(struct vm_inspection *item, struct look *look)
{
        struct vm_status *status = &item->status;
        struct stat disk;
        int alive;

        runtime_find_files(item->vm, &look->runtime);
        if (lstat(look->runtime.disk, &disk) == 0) {
                status->state = VM_STOPPED;
                status->disk_bytes = (int64_t)disk.st_blocks * 512;
        } else if (errno != ENOENT) {
                error_errno(&item->error, ERROR_ENGINE, "cannot look at '%s'", look->runtime.disk);
                return;
        }
        alive = runtime_is_alive(&look->runtime, &item->error);
        /* Whoever wants the guest then starts it under the lock, also while its QEMU still lives. */
        if (alive >= 0 && park_is_due(&look->runtime) && (alive > 0 || park_has_key(&look->runtime))) {
                status->state = VM_PARKED;
                return;
        }
        look->alive = alive > 0;
        if (look->alive) {
                status->state = VM_RUNNING;
                if (runtime_find_sockets(&look->runtime, NULL) == 0)
                        ask(look, deadline_in(0));
        } else if (alive == 0 && status->state == VM_STOPPED) {
                check_base(item->vm, status, &item->error);
        }
}

static pid_t find_qemu(struct look *look)
{
        _cleanup_(closep) int process_fd = -1;
        pid_t pid = 0;

        if (look->qemu == 0 && look->runtime.qmp &&
            socket_listener(look->runtime.qmp, deadline_in(LOOK_MS), &process_fd, &pid, NULL) < 0)
                return holder_find(look->runtime.lock, &pid, NULL) > 0 ? pid : 0;
        return look->qemu > 0 ? look->qemu : pid;
}

static bool is_stopped(pid_t pid)
{
        struct os_process_work work;

        return pid > 0 && os_process_work(pid, &work) == 0 && work.stopped;
}

/* Hears what it says. A process that was stopped by a signal says nothing, however long one waits. */
static void hear(struct vm_inspection *item, struct look *look, deadline limit)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        int heard = -1;

        if (is_stopped(look->qemu))
                limit = deadline_in(0);
        if (look->busy)
                ask(look, limit);
        if (look->monitor.fd >= 0)
                heard = monitor_hear(&look->monitor, limit, &says);
        if (heard > 0)
                monitor_judge(&says, item->vm->name, look->runtime.disk, &item->status);
        else if (heard == 0 || look->busy)
                monitor_judge_silence(item->vm->name, find_qemu(look), &item->status);
        /* Else it has ended, ends, or is too old to be asked. */
}

static void end(struct vm_inspection *item, struct look *look, deadline limit)
{
        deadline least = deadline_in(LEAST_MS);
        int alive;

        if (!look->alive || item->error)
                return;
        hear(item, look, limit > least ? limit : least);
        alive = runtime_is_alive(&look->runtime, &item->error);
        if (alive == 0)
                item->status.state = file_exists(look->runtime.disk) ? VM_STOPPED : VM_ABSENT;
        else if (alive > 0)
                item->status.memory_bytes = os_process_memory(find_qemu(look));
}

void engine_inspect_many(struct vm_inspection *const *items, size_t count)
{
        _cleanup_(freep) struct look *looks = xcalloc(count + 1, sizeof(*looks));
        deadline limit;

        for (size_t i = 0; i < count; i++) {
                looks[i].monitor = (struct monitor)MONITOR_INIT;
                begin(items[i], &looks[i]);
        }
        limit = deadline_in(ANSWER_MS);
        for (size_t i = 0; i < count; i++) {
                end(items[i], &looks[i], limit);
                look_clear(&looks[i]);
        }
}

int engine_inspect(const struct vm *vm, struct vm_status *out, struct error **err)
{
        struct vm_inspection item = { .vm = vm, .status = VM_STATUS_INIT };

        engine_inspect_many(&(struct vm_inspection *){ &item }, 1);
        if (item.error) {
                vm_status_clear(&item.status);
                return error_give(err, item.error);
        }
        vm_status_clear(out);
        *out = item.status;
        return 0;
}

/* Tells QEMU to let the guest go on that is paused. */
static void tell(const struct vm *vm)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        deadline limit = deadline_in(ANSWER_MS);
        int fd;

        if (runtime_find(vm, &runtime, NULL) < 0 || socket_connect(runtime.look, limit, &fd, NULL) < 0)
                return;
        monitor_ask(&monitor, fd);
        if (monitor_hear(&monitor, limit, &says) > 0 && socket_connect(runtime.look, limit, &fd, NULL) == 0)
                monitor_resume(&monitor, fd, says.run, limit);
}

int engine_resume(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (engine_inspect(vm, &status, err) < 0)
                return -1;
        if (status.state == VM_PAUSED && status.waits) {
                tell(vm);
                if (engine_inspect(vm, &status, err) < 0)
                        return -1;
        }
        return status.state == VM_PAUSED || status.state == VM_UNRESPONSIVE ? vm_refuse_state(vm, &status, err) : 0;
}
