#include "qemu/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/text.h"
#include "qemu/agent.h"
#include "qemu/disk.h"
#include "qemu/holder.h"
#include "qemu/socket.h"

/* A killed process is gone at once, unless the kernel holds it */
#define END_MS 10000
#define ONE_MS 500
/* The pause between two looks at what no descriptor tells: whether the lock is free */
#define LOOK_MS 20
#define PEER_MS 1000

void runtime_clear(struct runtime *runtime)
{
        free(runtime->lock);
        free(runtime->disk);
        free(runtime->restore);
        free(runtime->parked);
        free(runtime->logs);
        free(runtime->console_log);
        free(runtime->qemu_log);
        free(runtime->net_log);
        free(runtime->control);
        free(runtime->sockets);
        free(runtime->qmp);
        free(runtime->look);
        free(runtime->frames);
        free(runtime->resume);
        free(runtime->agent);
        free(runtime->console_pipe);
        free(runtime->messages_pipe);
        free(runtime->folder);
        free(runtime->ssh);
        free(runtime->ready);
        free(runtime->silent);
        *runtime = (struct runtime)RUNTIME_INIT;
}

void runtime_find_files(const struct vm *vm, struct runtime *out)
{
        *out = (struct runtime){
                .name = vm->name,
                .lock = path_join(vm->folder, "run.lock"),
                .disk = path_join(vm->folder, "disk.qcow2"),
                .restore = path_join(vm->folder, "restore"),
                .parked = path_join(vm->folder, "parked"),
                .logs = path_join(vm->folder, "logs"),
                .console_log = path_join(vm->folder, "logs/console.log"),
                .qemu_log = path_join(vm->folder, "logs/qemu.log"),
                .net_log = path_join(vm->folder, "logs/net.log"),
                .control = path_join(vm->folder, "net.sock"),
                .sockets = path_join(vm->folder, "qemu"),
                .qmp = path_join(vm->folder, "qemu/qmp.sock"),
                .look = path_join(vm->folder, "qemu/look.sock"),
                .frames = path_join(vm->folder, "qemu/frames.sock"),
                .resume = path_join(vm->folder, "qemu/resume.sock"),
                .agent = path_join(vm->folder, "qemu/agent"),
                .console_pipe = path_join(vm->folder, "qemu/console"),
                .messages_pipe = path_join(vm->folder, "qemu/messages"),
        };
}

int runtime_find_sockets(struct runtime *runtime, struct error **err)
{
        const struct {
                const char *name;
                char **path;
        } sockets[] = { { "ssh.sock", &runtime->ssh }, { "ready", &runtime->ready }, { "silent", &runtime->silent } };

        for (size_t i = 0; i < ARRAY_SIZE(sockets); i++) {
                char *path = paths_socket(runtime->name, sockets[i].name, err);

                if (!path)
                        return -1;
                set_string(sockets[i].path, path);
        }
        set_string(&runtime->folder, path_folder(runtime->ssh));
        return 0;
}

int runtime_find(const struct vm *vm, struct runtime *out, struct error **err)
{
        runtime_find_files(vm, out);
        return runtime_find_sockets(out, err);
}

/* Tries a shared lock, so that two processes that look at the same time don't take each other for QEMU. */
int runtime_is_alive(const struct runtime *runtime, struct error **err)
{
        _cleanup_(closep) int fd = open(runtime->lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

        if (fd < 0) {
                if (errno == ENOENT)
                        return disk_is_written(runtime->disk);
                error_errno(err, ERROR_ENGINE, "cannot open '%s'", runtime->lock);
                return file_hint(err, runtime->lock, errno);
        }
        while (flock(fd, LOCK_SH | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return 1;
                if (errno != EINTR)
                        return error_errno(err, ERROR_ENGINE, "cannot try the lock '%s'", runtime->lock);
        }
        /* The lock file may be another one than that which QEMU holds, when somebody has removed it. */
        return disk_is_written(runtime->disk);
}

int runtime_claim(const struct runtime *runtime, struct lock *lock, struct error **err)
{
        /* A process that looks holds it for an instant; wait until that is over. */
        if (lock_acquire(lock, runtime->lock, LOCK_EXCLUSIVE, END_MS, err) < 0)
                return error_wrap(err, "cannot start VM '%s'", runtime->name);
        return 0;
}

static int make_pipes(const struct runtime *runtime, struct error **err)
{
        _cleanup_(freep) char *in = agent_pipe_in(runtime->agent);
        _cleanup_(freep) char *out = agent_pipe_out(runtime->agent);
        const char *const pipes[] = { in, out, runtime->console_pipe, runtime->messages_pipe };

        for (size_t i = 0; i < ARRAY_SIZE(pipes); i++)
                if (mkfifo(pipes[i], 0600) < 0)
                        return error_errno(err, ERROR_FAILED, "cannot make the pipe '%s'", pipes[i]);
        return 0;
}

int runtime_prepare(const struct runtime *runtime, struct error **err)
{
        if (file_remove(runtime->ready, err) < 0 || file_remove(runtime->silent, err) < 0 ||
            file_remove(runtime->sockets, err) < 0 || file_make_folders(runtime->logs, 0700, err) < 0 ||
            file_make_private_folder(runtime->sockets, err) < 0)
                return -1;
        return make_pipes(runtime, err);
}

int runtime_mark_ready(const struct runtime *runtime, struct error **err)
{
        _cleanup_(closep) int fd = open(runtime->ready, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make '%s'", runtime->ready) : 0;
}

static bool has_ended(int process_fd)
{
        struct pollfd polled = { .fd = process_fd, .events = POLLIN };

        return process_fd >= 0 && poll(&polled, 1, 0) > 0;
}

int runtime_qmp(const struct runtime *runtime, int child, deadline limit, struct qmp **out, struct error **err)
{
        for (;;) {
                _cleanup_(error_freep) struct error *reason = NULL;
                int alive = child >= 0 ? !has_ended(child) : runtime_is_alive(runtime, err);
                struct pollfd polled = { .fd = child, .events = POLLIN };

                if (alive < 0)
                        return -1;
                if (qmp_connect(runtime->qmp, limit, out, &reason) == 0)
                        return 0;
                if (!alive)
                        return error_set(err, ERROR_NOT_FOUND, "QEMU has ended");
                if (reason->kind != ERROR_NOT_FOUND || deadline_passed(limit) || !file_exists(runtime->qmp)) {
                        if (err)
                                *err = TAKE_PTR(reason);
                        return -1;
                }
                /* Nobody listens there any more, so QEMU is ending. */
                poll(&polled, 1, LOOK_MS);
        }
}

/* Whoever holds the lock; when the lock file is gone, whoever listens at QMP's socket. Returns 1, 0 = nobody, or -1. */
static int find_qemu(const struct runtime *runtime, pid_t *pid, struct error **err)
{
        int found = holder_find(runtime->lock, pid, err);
        _cleanup_(closep) int listener = -1;

        if (found != 0)
                return found;
        return socket_listener(runtime->qmp, deadline_in(0), &listener, pid, NULL) == 0;
}

pid_t runtime_qemu(const struct runtime *runtime)
{
        _cleanup_(closep) int process_fd = -1;
        pid_t pid = 0;

        return socket_listener(runtime->look, deadline_in(PEER_MS), &process_fd, &pid, NULL) < 0 ? 0 : pid;
}

int runtime_process(const struct runtime *runtime, int *process_fd, struct error **err)
{
        _cleanup_(closep) int fd = -1;
        pid_t pid;
        int alive = runtime_is_alive(runtime, err);
        int found = alive > 0 ? find_qemu(runtime, &pid, err) : 0;

        if (alive < 0 || found < 0)
                return -1;
        if (found > 0) {
                fd = os_process_fd(pid);
                if (fd < 0 && errno != ESRCH)
                        return error_errno(err, ERROR_ENGINE, "cannot watch process %d", (int)pid);
        }
        /* The lock is still held after we got the descriptor, so the pid had not passed to another process before. */
        alive = runtime_is_alive(runtime, err);
        if (alive < 0)
                return -1;
        if (alive == 0)
                return error_set(err, ERROR_NOT_FOUND, "QEMU has ended");
        if (fd < 0) {
                _cleanup_(freep) char *shown = text_shell_path(runtime->lock);

                error_set(err, ERROR_ENGINE, "'%s' is held by a process that can't be seen", runtime->lock);
                return error_hint(err, "sudo fuser --kill %s", shown);
        }
        *process_fd = TAKE_FD(fd);
        return 0;
}

int runtime_wait_end(const struct runtime *runtime, int process_fd, deadline limit, struct error **err)
{
        for (;;) {
                int alive = runtime_is_alive(runtime, err);
                struct pollfd polled[] = { { .fd = process_fd, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };
                int left = deadline_left(limit);

                if (alive <= 0)
                        return alive < 0 ? -1 : 1;
                if (left == 0 || interrupt_pending())
                        return 0;
                /* Its last descriptors are closed a moment before or after its end. */
                if (has_ended(process_fd))
                        poll(NULL, 0, left > 0 && left < LOOK_MS ? left : LOOK_MS);
                else if (poll(polled, ARRAY_SIZE(polled), left) < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for QEMU");
        }
}

/* Kills one process that holds the lock. 1 = nobody holds it any more, 0 = somebody may still. */
static int kill_one(const struct runtime *runtime, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int process_fd = -1;

        if (runtime_process(runtime, &process_fd, &reason) < 0) {
                if (reason->kind == ERROR_NOT_FOUND)
                        return 1;
                if (err)
                        *err = TAKE_PTR(reason);
                return -1;
        }
        if (os_process_signal(process_fd, SIGKILL) < 0 && errno != ESRCH)
                return error_errno(err, ERROR_ENGINE, "cannot kill the QEMU of VM '%s'", runtime->name);
        return runtime_wait_end(runtime, process_fd, deadline_in(ONE_MS), err);
}

/* While QEMU is being started, bubblewrap's processes hold the lock too. They are killed one after the other, until the lock is
 * free. */
int runtime_kill(const struct runtime *runtime, struct error **err)
{
        deadline limit = deadline_in(END_MS);
        int ended = kill_one(runtime, err);

        while (ended == 0 && !deadline_passed(limit))
                ended = kill_one(runtime, err);
        if (ended == 0)
                return error_set(err, ERROR_ENGINE, "the QEMU of VM '%s' was killed but has not ended after %d s",
                                 runtime->name, END_MS / 1000);
        return ended < 0 ? -1 : 0;
}

/* Waits until no process holds machine-net's lock. Returns 1, or 0 when the limit passed first. */
static int await_net(const struct runtime *runtime, deadline limit, struct error **err)
{
        for (;;) {
                _cleanup_(closep) int process_fd = -1;
                pid_t pid;
                int found = holder_find(runtime->net_log, &pid, err);

                if (found <= 0)
                        return found < 0 ? -1 : 1;
                process_fd = os_process_fd(pid);
                if (process_fd < 0 && errno != ESRCH)
                        return error_errno(err, ERROR_ENGINE, "cannot watch process %d", (int)pid);
                found = process_fd < 0 ? 1 : socket_wait(process_fd, POLLIN, limit, err);
                if (found <= 0)
                        return found;
        }
}

/* Kills the supervisor: a worker alone would be replaced, and ends with it. */
static int kill_net(const struct runtime *runtime, struct error **err)
{
        _cleanup_(closep) int process_fd = -1;
        pid_t pid;
        int found = holder_find_first(runtime->net_log, &pid, err);

        if (found <= 0)
                return found;
        process_fd = os_process_fd(pid);
        /* The lock is still held after we got the descriptor, so the pid had not passed to another process before. */
        if (process_fd < 0 || holder_find(runtime->net_log, &pid, NULL) <= 0)
                return 0;
        if (os_process_signal(process_fd, SIGKILL) < 0 && errno != ESRCH)
                return error_errno(err, ERROR_ENGINE, "cannot kill the network process of VM '%s'", runtime->name);
        return 0;
}

int runtime_end_net(const struct runtime *runtime, int grace_ms, struct error **err)
{
        int ended = await_net(runtime, deadline_in(grace_ms), err);

        if (ended != 0)
                return ended < 0 ? -1 : 0;
        if (kill_net(runtime, err) < 0)
                return -1;
        ended = await_net(runtime, deadline_in(END_MS), err);
        if (ended == 0)
                return error_set(err, ERROR_ENGINE, "the network process of VM '%s' was killed but has not ended",
                                 runtime->name);
        return ended < 0 ? -1 : 0;
}
