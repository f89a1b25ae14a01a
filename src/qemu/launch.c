#include "qemu/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"
#include "qemu/agent.h"
#include "qemu/arguments.h"
#include "qemu/helpers.h"
#include "qemu/identity-file.h"
#include "qemu/sandbox.h"
#include "qemu/socket.h"
#include "vm/console.h"
#include "vm/ports.h"

/* From the start of QEMU to its first words, on a busy host. One that ends is not waited for. */
#define QMP_MS 120000
#define END_MS 10000
/* From a closed socket to the end of the process */
#define STATUS_MS 500

enum { FRAMES_FD = 3, LOCK_FD = 4, IDENTITY_FD = 5, CONSOLE_FD = 6, QMP_FD = 7, LOOK_FD = 8, RESUME_FD = 9 };

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
        closep(&launch->wire);
        launch->wire = -1;
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

/* A machine-net that waits for the guest keeps what it has, its ports among it. */
static int prepare_network(struct launch *launch, struct error **err)
{
        int waits = launch->goes_on ? lock_is_held(launch->runtime->net_log, err) : 0;

        if (waits != 0) {
                launch->keeps_net = waits > 0;
                return waits < 0 ? -1 : 0;
        }
        if (runtime_end_net(launch->runtime, RUNTIME_NET_MS, err) < 0)
                return -1;
        return ports_check(&launch->vm->record, err);
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
        if (runtime_claim(runtime, &launch->lock, err) < 0 || prepare_network(launch, err) < 0 ||
            runtime_prepare(runtime, err) < 0)
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
        strv_add(&sandbox.writable, runtime->disk);
        strv_take(&sandbox.writable, agent_pipe_in(runtime->agent));
        strv_take(&sandbox.writable, agent_pipe_out(runtime->agent));
        sandbox_build(&sandbox, argv);
}

/* Templates have it, and all that comes from one. */
static bool has_port(const struct launch_memory *memory)
{
        return memory->file || memory->port;
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
                .bare = memory->bare,
                .halted = launch->halted,
                .kernel = launch->layer->kernel,
                .initrd = launch->layer->initrd,
                .disk = runtime->disk,
                .uuid = vm->record.uuid,
                .agent_pipe = runtime->agent,
                .console = console,
                .identity = identity,
                .frames_fd = FRAMES_FD,
                .qmp_fd = QMP_FD,
                .look_fd = LOOK_FD,
                .resume_fd = has_port(memory) ? RESUME_FD : 0,
        };

        wrap_command(launch, memory, argv);
        arguments_build(&arguments, argv);
}

/* What QEMU gets from us, besides its lock: the sockets that it listens on, and the ends of machine-log's pipes. */
struct wires {
        int frames, qmp, look, resume; /* resume: -1 = none */
        int console, messages;
};

#define WIRES_INIT                                                                                                             \
        {                                                                                                                      \
                .frames = -1, .qmp = -1, .look = -1, .resume = -1, .console = -1, .messages = -1                               \
        }

static void wires_clear(struct wires *wires)
{
        closep(&wires->frames);
        closep(&wires->qmp);
        closep(&wires->look);
        closep(&wires->resume);
        closep(&wires->console);
        closep(&wires->messages);
}

static int spawn_qemu(struct launch *launch, const struct launch_memory *memory, const struct wires *wires, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(closep) int identity = -1;

        if (identity_open(launch->vm, &identity, err) < 0)
                return -1;
        build_command(launch, memory, &argv);
        return process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .folder = "/",
                                                     .stdout_fd = wires->messages,
                                                     .stderr_fd = wires->messages,
                                                     .fds = (const struct process_fd[]){ { FRAMES_FD, wires->frames },
                                                                                         { LOCK_FD, launch->lock.fd },
                                                                                         { IDENTITY_FD, identity },
                                                                                         { CONSOLE_FD, wires->console },
                                                                                         { QMP_FD, wires->qmp },
                                                                                         { LOOK_FD, wires->look },
                                                                                         { RESUME_FD, wires->resume } },
                                                     .fd_count = wires->resume >= 0 ? 7 : 6,
                                                     .new_session = true,
                                                     .outlives_us = !launch->ends_with_us },
                             &launch->qemu, err);
}

static int open_output(const char *path, int *fd, struct error **err)
{
        /* Without a reader this fails at once, where otherwise it would wait for one. */
        *fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (*fd < 0 || fcntl(*fd, F_SETFL, 0) < 0)
                return error_errno(err, ERROR_ENGINE, "cannot open the pipe '%s'", path);
        return 0;
}

static enum network_kind network_kind(const struct launch *launch)
{
        if (launch->ends_with_us)
                return NETWORK_SCRATCH;
        return launch->goes_on ? NETWORK_GOES_ON : NETWORK_BEGINS;
}

/* QEMU gets its sockets as descriptors, and machine-net a connection to one of them; we keep none. */
int launch_start(struct launch *launch, const struct launch_memory *memory, struct error **err)
{
        const struct runtime *runtime = launch->runtime;
        _cleanup_(wires_clear) struct wires wires = WIRES_INIT;
        _cleanup_(closep) int for_net = -1;

        if (socket_listen(runtime->frames, &wires.frames, err) < 0 || socket_listen(runtime->qmp, &wires.qmp, err) < 0 ||
            socket_listen(runtime->look, &wires.look, err) < 0 ||
            (has_port(memory) && socket_listen(runtime->resume, &wires.resume, err) < 0) ||
            socket_connect(runtime->frames, deadline_in(QMP_MS), &for_net, err) < 0)
                return -1;
        if (launch->keeps_net)
                launch->wire = TAKE_FD(for_net);
        else if (helpers_start_network(launch->vm, runtime, for_net, network_kind(launch), &launch->net, err) < 0)
                return -1;
        if (helpers_start_log(runtime, &launch->log, err) < 0 || open_output(runtime->console_pipe, &wires.console, err) < 0 ||
            open_output(runtime->messages_pipe, &wires.messages, err) < 0 || spawn_qemu(launch, memory, &wires, err) < 0)
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

/* Adds the last line of each log to the error, and names the logs for the rest. */
static void quote_logs(const struct runtime *runtime, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf messages = STRBUF_INIT, console = STRBUF_INIT;
        _cleanup_(freep) char *shown_console = text_shell_path(runtime->console_log);
        _cleanup_(freep) char *shown_qemu = text_shell_path(runtime->qemu_log);

        console_quote(&messages, runtime->qemu_log, 1);
        console_quote(&console, runtime->console_log, 1);
        set_string(&(*err)->message,
                   xasprintf("%s%s%s; last on the console: %s", (*err)->message, messages.len > 0 ? "; QEMU says: " : "",
                             messages.buf, console.len > 0 ? console.buf : "nothing"));
        if (messages.len > 0)
                error_hint(err, "less %s %s", shown_console, shown_qemu);
        else
                error_hint(err, "less %s", shown_console);
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
