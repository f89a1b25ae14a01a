#include "qemu/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"
#include "qemu/arguments.h"
#include "qemu/identity-file.h"
#include "qemu/sandbox.h"
#include "qemu/socket.h"
#include "vm/console.h"
#include "vm/network.h"
#include "vm/ports.h"
#include "vm/rules.h"

/* From the start of QEMU to its first words, on a busy host. One that ends is not waited for. */
#define QMP_MS 120000
#define END_MS 10000
/* From a closed socket to the end of the process */
#define STATUS_MS    500
#define QUOTED_LINES 4

/* What is kept of the console: its first boot messages and its last ones. A guest can write as much as it likes. */
#define CONSOLE_HEAD (1 << 20)
#define CONSOLE_MOST (4 << 20)
#define QEMU_HEAD    (256 << 10)
#define QEMU_MOST    (1 << 20)

enum { NET_FD = 3, LOCK_FD = 4, IDENTITY_FD = 5, CONSOLE_FD = 6 };

void launch_clear(struct launch *launch)
{
        if (launch->qemu > 0) {
                /* It is not reaped yet, so the group's number is still ours. What runs inside bubblewrap is in that group. */
                kill(-launch->qemu, SIGKILL);
                process_wait(launch->qemu, END_MS, NULL, NULL);
                runtime_wait_end(launch->runtime, -1, deadline_in(END_MS), NULL);
        }
        /* It ends by itself once QEMU's end of the frame socket is closed. */
        if (launch->net > 0 && process_wait(launch->net, END_MS / 5, NULL, NULL) != 1) {
                kill(launch->net, SIGKILL);
                process_wait(launch->net, END_MS, NULL, NULL);
        }
        /* So does machine-log, once QEMU is gone. */
        if (launch->log > 0 && process_wait(launch->log, END_MS / 5, NULL, NULL) != 1) {
                kill(launch->log, SIGKILL);
                process_wait(launch->log, END_MS, NULL, NULL);
        }
        launch->qemu = launch->net = launch->log = 0;
        lock_release(&launch->lock);
        toolkit_clear(&launch->toolkit);
        acceleration_clear(&launch->acceleration);
}

void launch_keep(struct launch *launch)
{
        launch->qemu = launch->net = launch->log = 0;
}

int launch_check_memory(const struct vm_record *record, struct error **err)
{
        int64_t there = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
        _cleanup_(freep) char *wanted = NULL;
        _cleanup_(freep) char *had = NULL;

        if (record->memory_bytes <= there)
                return 0;
        wanted = text_format_size(record->memory_bytes);
        had = text_format_size(there);
        error_set(err, ERROR_ENGINE, "VM '%s' needs %s of memory, but this computer has %s", record->name, wanted, had);
        return error_hint(err, "set 'memory' to less than that");
}

int launch_prepare(struct launch *launch, const struct layer *layer, struct event_sink *events, struct error **err)
{
        const struct runtime *runtime = launch->runtime;

        launch->layer = layer;
        if (launch_check_memory(&launch->vm->record, err) < 0)
                return -1;
        if (toolkit_find(&launch->toolkit, err) < 0)
                return -1;
        acceleration_find(&launch->acceleration);
        if (launch->acceleration.note)
                event_note(events, "%s", launch->acceleration.note);
        if (launch->toolkit.note)
                event_note(events, "%s", launch->toolkit.note);
        if (runtime_claim(runtime, &launch->lock, err) < 0 || runtime_end_net(runtime, err) < 0 ||
            ports_check(&launch->vm->record, err) < 0 || runtime_prepare(runtime, err) < 0)
                return -1;
        return console_rotate(runtime->console_log, err);
}

static void wrap_command(const struct launch *launch, const struct launch_memory *memory, struct strv *argv)
{
        const struct runtime *runtime = launch->runtime;
        _cleanup_(sandbox_clear) struct sandbox sandbox = {
                .program = launch->toolkit.bubblewrap,
                .qemu = launch->toolkit.qemu,
                .kvm = launch->acceleration.kvm,
                .dies_with_parent = launch->ends_with_us,
        };

        if (!launch->toolkit.bubblewrap) {
                if (launch->ends_with_us)
                        strv_adds(argv, "setpriv", "--pdeathsig", "KILL", "--", NULL);
                return;
        }
        strv_add_all(&sandbox.read_only, &launch->layer->folders);
        /* A QEMU before 8.2 can open a memory file only for writing, but the file's folder is read-only here. */
        if (memory->file)
                strv_add(&sandbox.writable, memory->file);
        strv_adds(&sandbox.writable, runtime->disk, runtime->sockets, NULL);
        sandbox_build(&sandbox, argv);
}

static void build_command(const struct launch *launch, const struct launch_memory *memory, struct strv *argv)
{
        const struct vm *vm = launch->vm;
        const struct runtime *runtime = launch->runtime;
        _cleanup_(freep) char *identity = xasprintf("/dev/fd/%d", IDENTITY_FD);
        _cleanup_(freep) char *console = xasprintf("/dev/fd/%d", CONSOLE_FD);
        const struct arguments arguments = {
                .architecture = ARCHITECTURE_HOST,
                .program = launch->toolkit.qemu,
                .machine = launch->toolkit.machine,
                .kvm = launch->acceleration.kvm,
                .name = vm->record.name,
                .cpus = vm->record.cpus,
                .memory_bytes = vm->record.memory_bytes,
                .memory_file = memory->file,
                .memory_shared = memory->shared,
                .memory_read_only = memory->file && !memory->shared && toolkit_maps_read_only(&launch->toolkit),
                .incoming = memory->load,
                .halted = launch->halted,
                .kernel = launch->layer->kernel,
                .initrd = launch->layer->initrd,
                .disk = runtime->disk,
                .uuid = vm->record.uuid,
                .qmp_socket = runtime->qmp,
                .look_socket = runtime->look,
                .agent_socket = runtime->agent,
                .resume_socket = memory->file ? runtime->resume : NULL,
                .console = console,
                .identity = identity,
                .net_fd = NET_FD,
        };

        wrap_command(launch, memory, argv);
        arguments_build(&arguments, argv);
}

/* What QEMU writes to: the ends of machine-log's pipes. */
struct outputs {
        int console, messages;
};

#define OUTPUTS_INIT                                                                                                           \
        {                                                                                                                      \
                .console = -1, .messages = -1                                                                                  \
        }

static void outputs_clear(struct outputs *outputs)
{
        closep(&outputs->console);
        closep(&outputs->messages);
}

static int spawn_qemu(struct launch *launch, const struct launch_memory *memory, int net_fd, const struct outputs *outputs,
                      struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(closep) int identity = -1;

        if (identity_open(launch->vm, &identity, err) < 0)
                return -1;
        build_command(launch, memory, &argv);
        return process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .folder = "/",
                                                     .stdout_fd = outputs->messages,
                                                     .stderr_fd = outputs->messages,
                                                     .fds = (const struct process_fd[]){ { NET_FD, net_fd },
                                                                                         { LOCK_FD, launch->lock.fd },
                                                                                         { IDENTITY_FD, identity },
                                                                                         { CONSOLE_FD, outputs->console } },
                                                     .fd_count = 4,
                                                     .new_session = true,
                                                     .outlives_us = !launch->ends_with_us },
                             &launch->qemu, err);
}

/* The two ends of a pipe, owned by the caller. */
static int make_pipe(int *reader, int *writer, struct error **err)
{
        int ends[2];

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        *reader = ends[0];
        *writer = ends[1];
        return 0;
}

static int open_log(const char *path, struct error **err)
{
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", path) : fd;
}

/* Starts machine-log. It is started before QEMU and outlives it by a moment. */
static int start_log(struct launch *launch, struct outputs *outputs, struct error **err)
{
        enum { CONSOLE_IN = 3, MESSAGES_IN, CONSOLE_OUT, MESSAGES_OUT };
        const struct runtime *runtime = launch->runtime;
        _cleanup_(freep) char *program = paths_helper("machine-log", err);
        _cleanup_(closep) int console_in = -1;
        _cleanup_(closep) int messages_in = -1;
        _cleanup_(closep) int console_out = program ? open_log(runtime->console_log, err) : -1;
        _cleanup_(closep) int messages_out = console_out >= 0 ? open_log(runtime->qemu_log, err) : -1;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (messages_out < 0)
                return -1;
        /* machine-log is found by this lock (processes.c). The file belongs to this run alone. */
        if (flock(console_out, LOCK_EX | LOCK_NB) < 0)
                return error_errno(err, ERROR_FAILED, "cannot lock '%s'", runtime->console_log);
        if (make_pipe(&console_in, &outputs->console, err) < 0 || make_pipe(&messages_in, &outputs->messages, err) < 0)
                return -1;
        strv_add(&argv, program);
        strv_addf(&argv, "%d:%d:%d:%d", CONSOLE_IN, CONSOLE_OUT, CONSOLE_HEAD, CONSOLE_MOST);
        strv_addf(&argv, "%d:%d:%d:%d", MESSAGES_IN, MESSAGES_OUT, QEMU_HEAD, QEMU_MOST);
        return process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .folder = "/",
                                                     .fds = (const struct process_fd[]){ { CONSOLE_IN, console_in },
                                                                                         { MESSAGES_IN, messages_in },
                                                                                         { CONSOLE_OUT, console_out },
                                                                                         { MESSAGES_OUT, messages_out } },
                                                     .fd_count = 4,
                                                     .new_session = true,
                                                     .outlives_us = true },
                             &launch->log, err);
}

/* Starts the guest's network, at the other end of QEMU's frame socket. */
static int start_network(struct launch *launch, int frames_fd, struct error **err)
{
        const struct runtime *runtime = launch->runtime;
        const struct vm_record *record = &launch->vm->record;
        _cleanup_(strv_clear) struct strv options = STRV_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;

        strv_addf(&options, "--ssh-socket=%s", runtime->ssh);
        strv_addf(&options, "--hostname=%s", launch->vm->name);
        for (size_t i = 0; i < record->port_count; i++)
                strv_addf(&options, "--forward=%u:%u", record->ports[i].host, record->ports[i].guest);
        if (record->lan)
                strv_add(&options, "--lan");
        rules_options(launch->vm, &options);
        if (network_start(
                    &(struct network_spec){ .frames_fd = frames_fd, .log = runtime->net_log, .options = strv_argv(&options) },
                    &launch->net, &reason) == 0)
                return 0;
        /* This says who has the port, which machine-net can't. */
        if (ports_check(record, err) < 0)
                return -1;
        if (err)
                *err = TAKE_PTR(reason);
        return -1;
}

/* The two ends of the frame socket go to the two processes; we keep neither. */
int launch_start(struct launch *launch, const struct launch_memory *memory, struct error **err)
{
        _cleanup_(closep) int for_qemu = -1;
        _cleanup_(closep) int for_net = -1;
        _cleanup_(outputs_clear) struct outputs outputs = OUTPUTS_INIT;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        for_qemu = ends[0];
        for_net = ends[1];
        if (start_network(launch, for_net, err) < 0 || start_log(launch, &outputs, err) < 0 ||
            spawn_qemu(launch, memory, for_qemu, &outputs, err) < 0)
                return -1;
        lock_release(&launch->lock);
        return 0;
}

int launch_qmp(const struct launch *launch, struct qmp **out, struct error **err)
{
        _cleanup_(closep) int process_fd = os_process_fd(launch->qemu);

        if (process_fd < 0)
                return error_errno(err, ERROR_ENGINE, "cannot watch QEMU");
        return runtime_qmp(launch->runtime, process_fd, deadline_in(QMP_MS), out, err);
}

/* Adds to the error how the child ended, which its sockets couldn't tell. Doesn't reap the child. */
static void add_status(pid_t child, struct error **err)
{
        _cleanup_(closep) int process_fd = os_process_fd(child);
        _cleanup_(freep) char *text = NULL;
        siginfo_t info = { 0 };

        if (process_fd < 0 || socket_wait(process_fd, POLLIN, deadline_in(STATUS_MS), NULL) != 1)
                return;
        if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT | WNOHANG) < 0 || info.si_pid != child)
                return;
        text = process_status_text(info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status);
        set_string(&(*err)->message, xasprintf("%s (%s)", (*err)->message, text));
}

/* Once QEMU has ended, machine-log soon has written down everything. */
static void await_log(pid_t log)
{
        _cleanup_(closep) int process_fd = os_process_fd(log);

        if (process_fd >= 0)
                socket_wait(process_fd, POLLIN, deadline_in(STATUS_MS), NULL);
}

static void quote_logs(const struct runtime *runtime, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        size_t before;

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

void launch_explain(const struct launch *launch, struct error **err)
{
        if (!err || !*err)
                return;
        if (launch->qemu > 0)
                add_status(launch->qemu, err);
        if (launch->log > 0 && runtime_is_alive(launch->runtime, NULL) == 0)
                await_log(launch->log);
        quote_logs(launch->runtime, err);
}
