#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "acceleration.h"
#include "arguments.h"
#include "base.h"
#include "boot.h"
#include "console.h"
#include "engine.h"
#include "identity.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/process.h"
#include "network.h"
#include "ports.h"
#include "socket.h"
#include "toolkit.h"

/* From the start of QEMU to the banner of the guest's sshd */
#define BOOT_KVM_MS      60000
#define BOOT_EMULATED_MS 180000
#define QMP_MS           10000
#define END_MS           10000
/* From a closed socket to the process's end */
#define STATUS_MS    500
#define QUOTED_LINES 4

enum { NET_FD = 3, LOCK_FD = 4, IDENTITY_FD = 5 };

/* What a start has started so far; cleared, it ends all of it. */
struct launch {
        const struct runtime *runtime;
        pid_t qemu; /* or the bubblewrap around it: a group of its own. 0 = none */
        pid_t net;
};

static void launch_clear(struct launch *launch)
{
        if (launch->qemu > 0) {
                /* Not yet reaped, so the group's number is still ours. It takes in what runs inside of bubblewrap. */
                kill(-launch->qemu, SIGKILL);
                process_wait(launch->qemu, END_MS, NULL, NULL);
                runtime_wait_end(launch->runtime, -1, deadline_in(END_MS), NULL);
        }
        /* With QEMU's end of the frame socket closed it has no reason to stay. */
        if (launch->net > 0 && process_wait(launch->net, END_MS / 5, NULL, NULL) != 1) {
                kill(launch->net, SIGKILL);
                process_wait(launch->net, END_MS, NULL, NULL);
        }
        launch->qemu = launch->net = 0;
}

/* From here on it is the VM's, and lives on when we end. */
static void launch_keep(struct launch *launch)
{
        launch->qemu = launch->net = 0;
}

static void build_command(const struct vm *vm, const struct runtime *runtime, const struct base_image *image,
                          const struct toolkit *toolkit, bool kvm, struct strv *argv)
{
        _cleanup_(sandbox_clear) struct sandbox sandbox = { .program = toolkit->bubblewrap, .qemu = toolkit->qemu, .kvm = kvm };
        _cleanup_(freep) char *identity = xasprintf("/dev/fd/%d", IDENTITY_FD);
        const struct arguments arguments = {
                .architecture = ARCHITECTURE_HOST,
                .program = toolkit->qemu,
                .machine = toolkit->machine,
                .kvm = kvm,
                .name = vm->name,
                .cpus = vm->record.cpus,
                .memory_bytes = vm->record.memory_bytes,
                .kernel = image->kernel,
                .initrd = image->initrd,
                .disk = runtime->disk,
                .uuid = vm->record.uuid,
                .qmp_socket = runtime->qmp,
                .agent_socket = runtime->agent,
                .console_log = runtime->console_log,
                .identity = identity,
                .net_fd = NET_FD,
        };

        if (toolkit->bubblewrap) {
                strv_add(&sandbox.read_only, image->folder);
                strv_adds(&sandbox.writable, runtime->disk, runtime->console_log, runtime->sockets, NULL);
                sandbox_build(&sandbox, argv);
        }
        arguments_build(&arguments, argv);
}

static int spawn_qemu(const struct vm *vm, const struct runtime *runtime, const struct strv *argv, int net_fd, int lock_fd,
                      pid_t *pid, struct error **err)
{
        _cleanup_(closep) int log =
                open(runtime->qemu_log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        _cleanup_(closep) int identity = -1;

        if (log < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", runtime->qemu_log);
        if (identity_open(vm, &identity, err) < 0)
                return -1;
        return process_spawn(&(struct process_spec){ .argv = strv_argv(argv),
                                                     .environment = toolkit_environment,
                                                     .folder = "/",
                                                     .stdout_fd = log,
                                                     .stderr_fd = log,
                                                     .fds = (const struct process_fd[]){ { NET_FD, net_fd },
                                                                                         { LOCK_FD, lock_fd },
                                                                                         { IDENTITY_FD, identity } },
                                                     .fd_count = 3,
                                                     .new_session = true },
                             pid, err);
}

/* The frame socket's two ends go to the two processes, and none stays with us. */
static int spawn_both(const struct vm *vm, const struct strv *argv, const struct lock *lock, struct launch *launch,
                      struct error **err)
{
        _cleanup_(closep) int for_qemu = -1;
        _cleanup_(closep) int for_net = -1;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        for_qemu = ends[0];
        for_net = ends[1];
        if (network_start(vm, launch->runtime, for_net, &launch->net, err) < 0)
                return -1;
        return spawn_qemu(vm, launch->runtime, argv, for_qemu, lock->fd, &launch->qemu, err);
}

static int launch_start(const struct vm *vm, struct launch *launch, struct event_sink *events, struct error **err)
{
        const struct runtime *runtime = launch->runtime;
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        _cleanup_(base_image_clear) struct base_image image = BASE_IMAGE_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (!file_exists(runtime->disk))
                return error_set(err, ERROR_ENGINE, "VM '%s' has no disk", vm->name);
        if (!vm->record.base)
                return error_set(err, ERROR_ENGINE, "the record of VM '%s' does not say what its disk stands on", vm->name);
        if (base_open(vm->record.base, &image, err) < 0 || toolkit_find(&toolkit, err) < 0)
                return -1;
        acceleration_find(&acceleration);
        if (acceleration.note)
                event_note(events, "%s", acceleration.note);
        if (toolkit.note)
                event_note(events, "%s", toolkit.note);
        if (runtime_claim(runtime, &lock, err) < 0 || runtime_end_net(runtime, err) < 0 || ports_check(&vm->record, err) < 0 ||
            runtime_prepare(runtime, err) < 0 || console_rotate(runtime->console_log, err) < 0)
                return -1;
        build_command(vm, runtime, &image, &toolkit, acceleration.kvm, &argv);
        return spawn_both(vm, &argv, &lock, launch, err);
}

static int mark_ready(const struct runtime *runtime, struct error **err)
{
        _cleanup_(closep) int fd = open(runtime->ready, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make '%s'", runtime->ready) : 0;
}

/* `child` is what we started ourselves; 0 when the VM runs already. */
static int await_guest(const struct runtime *runtime, pid_t child, struct event_sink *events, struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        _cleanup_(closep) int process_fd = child > 0 ? os_process_fd(child) : -1;

        if (child > 0 && process_fd < 0)
                return error_errno(err, ERROR_ENGINE, "cannot watch QEMU");
        acceleration_find(&acceleration);
        if (runtime_qmp(runtime, process_fd, deadline_in(QMP_MS), &qmp, err) < 0 ||
            boot_wait(runtime, qmp, acceleration.kvm ? BOOT_KVM_MS : BOOT_EMULATED_MS, events, err) < 0)
                return -1;
        return mark_ready(runtime, err);
}

/* Says how the child ended, which its sockets couldn't tell. It is left to be reaped. */
static void add_status(pid_t child, struct error **err)
{
        _cleanup_(closep) int process_fd = os_process_fd(child);
        _cleanup_(freep) char *text = NULL;
        siginfo_t info = { 0 };

        if (!err || !*err || process_fd < 0 || socket_wait(process_fd, POLLIN, deadline_in(STATUS_MS), NULL) != 1)
                return;
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) < 0 || info.si_pid != child)
                return;
        text = process_status_text(info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status);
        set_string(&(*err)->message, xasprintf("%s (%s)", (*err)->message, text));
}

/* Adds to the error what QEMU and the guest said last. */
static void quote_logs(const struct runtime *runtime, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        size_t before;

        if (!err || !*err)
                return;
        strbuf_adds(&message, (*err)->message);
        strbuf_adds(&message, "; QEMU says: ");
        before = message.len;
        console_quote(&message, runtime->qemu_log, QUOTED_LINES);
        if (message.len == before)
                strbuf_truncate(&message, before - strlen("; QEMU says: "));
        strbuf_adds(&message, "; last on the console: ");
        before = message.len;
        console_quote(&message, runtime->console_log, QUOTED_LINES);
        if (message.len == before)
                strbuf_adds(&message, "nothing");
        set_string(&(*err)->message, strbuf_take(&message));
        error_hint(err, "less '%s'", runtime->console_log);
}

static int start(const struct vm *vm, const struct runtime *runtime, bool alive, struct event_sink *events, struct error **err)
{
        _cleanup_(launch_clear) struct launch launch = { .runtime = runtime };

        if (alive)
                event_note(events, "VM '%s' runs already: waiting for its guest", vm->name);
        else if (launch_start(vm, &launch, events, err) < 0)
                return -1;
        if (await_guest(runtime, launch.qemu, events, err) < 0) {
                if (launch.qemu > 0)
                        add_status(launch.qemu, err);
                quote_logs(runtime, err);
                return alive ? error_hint(err, "machine down %s", vm->name) : -1;
        }
        launch_keep(&launch);
        return 0;
}

int engine_start(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        int alive;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive < 0)
                return -1;
        if (alive && file_exists(runtime.ready))
                return 0;
        event_begin(events, "start", "starting VM '%s'", vm->name);
        if (start(vm, &runtime, alive, events, err) < 0) {
                event_end(events, "start", EVENT_FAILED, NULL);
                error_wrap(err, "cannot start VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "start", EVENT_DONE, NULL);
        return 0;
}
