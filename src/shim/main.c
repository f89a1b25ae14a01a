/*
 * machine-shim: what Lima starts in place of QEMU (by QEMU_SYSTEM_<ARCH>), so that a guest's only network is machine-net.
 *
 * It starts machine-net, and machine-log for the guest's consoles, and becomes QEMU, with Lima's arguments except for the
 * network and the consoles' files (arguments.h): same process, same pid. Both hold the other ends of what QEMU has, and end
 * when it ends, also when anything here fails. Questions about QEMU pass as they are.
 *
 * Lima gives a program named there no arguments of ours, so the settings come from the environment. They aren't passed on to
 * QEMU:
 *
 *     MACHINE_SHIM_QEMU        the program to become: a path, or a name in PATH
 *     MACHINE_SHIM_LOG         machine-net's log
 *     MACHINE_SHIM_HOSTNAME    given to the guest by DHCP
 *     MACHINE_SHIM_RULES       machine-net's --rules
 *     MACHINE_SHIM_ACCOUNT     machine-net's --account; given when there are rules
 *     MACHINE_SHIM_LAN         "1": the guest may reach the network around this computer
 *
 * It returns only on failure: one line on standard error, which Lima keeps in ha.stderr.log, and exit status 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/process.h"
#include "shim/arguments.h"
#include "vm/logging.h"
#include "vm/network.h"

static const char *const variables[] = { "MACHINE_SHIM_QEMU", "MACHINE_SHIM_LOG",   "MACHINE_SHIM_HOSTNAME",
                                         "MACHINE_SHIM_LAN",  "MACHINE_SHIM_RULES", "MACHINE_SHIM_ACCOUNT" };

static const char *variable(const char *name, struct error **err)
{
        const char *value = getenv(name);

        if (!value || !*value) {
                error_set(err, ERROR_USAGE, "%s is not set: this program is started by Lima, for machine", name);
                return NULL;
        }
        return value;
}

static int become(const struct strv *argv, struct error **err)
{
        _cleanup_(strv_clear) struct strv overrides = STRV_INIT;
        _cleanup_(strv_clear) struct strv environment = STRV_INIT;

        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                strv_add(&overrides, variables[i]);
        process_environment(&environment, strv_argv(&overrides));
        return process_exec(strv_argv(argv), strv_argv(&environment), err);
}

static int start_network(int frames_fd, uint16_t ssh_port, struct error **err)
{
        const char *log = variable("MACHINE_SHIM_LOG", err);
        const char *hostname = log ? variable("MACHINE_SHIM_HOSTNAME", err) : NULL;
        const char *lan = getenv("MACHINE_SHIM_LAN");
        const char *rules = getenv("MACHINE_SHIM_RULES");
        const char *account = getenv("MACHINE_SHIM_ACCOUNT");
        _cleanup_(strv_clear) struct strv options = STRV_INIT;
        pid_t pid;

        if (!hostname)
                return -1;
        strv_add(&options, "--network=192.168.5.0");
        strv_addf(&options, "--hostname=%s", hostname);
        strv_addf(&options, "--forward=%u:22", ssh_port);
        if (lan && streq(lan, "1"))
                strv_add(&options, "--lan");
        if (rules && account) {
                strv_addf(&options, "--rules=%s", rules);
                strv_addf(&options, "--account=%s", account);
        }
        return network_start(&(struct network_spec){ .frames_fd = frames_fd, .log = log, .options = strv_argv(&options) }, &pid,
                             err);
}

/* QEMU's ends of its wires, and which logs they lead to. Only these descriptors stay open over exec. */
struct wires {
        int frames;
        struct strv logs; /* paths */
        int log_ends[LOGGING_STREAMS_MOST];
        size_t count;
};

static void wires_clear(struct wires *wires)
{
        closep(&wires->frames);
        strv_clear(&wires->logs);
        for (size_t i = 0; i < wires->count; i++)
                closep(&wires->log_ends[i]);
}

/* Opens a log's file, and a pipe to who is to write it. */
static int open_log(const char *path, struct logging_stream *stream, int *end, struct error **err)
{
        int ends[2];

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        *end = ends[1];
        *stream = (struct logging_stream){ ends[0], logging_open(path, err), LOGGING_CONSOLE_HEAD, LOGGING_CONSOLE_MOST };
        return stream->out < 0 ? -1 : 0;
}

static int start_logs(struct wires *wires, struct error **err)
{
        struct logging_stream streams[LOGGING_STREAMS_MOST];
        int status = 0;
        pid_t pid;

        if (wires->logs.count > LOGGING_STREAMS_MOST)
                return error_set(err, ERROR_ENGINE, "this Lima gives a guest more than %d consoles", LOGGING_STREAMS_MOST);
        while (status == 0 && wires->count < wires->logs.count) {
                size_t i = wires->count;

                streams[i] = (struct logging_stream){ .in = -1, .out = -1 };
                wires->log_ends[i] = -1;
                wires->count++;
                status = open_log(wires->logs.items[i], &streams[i], &wires->log_ends[i], err);
        }
        if (status == 0 && wires->count > 0)
                status = logging_start(streams, wires->count, &pid, err);
        for (size_t i = 0; i < wires->count; i++) {
                closep(&streams[i].in);
                closep(&streams[i].out);
        }
        return status;
}

static int keep_open(const struct wires *wires, struct error **err)
{
        int status = fcntl(wires->frames, F_SETFD, 0);

        for (size_t i = 0; status >= 0 && i < wires->count; i++)
                status = fcntl(wires->log_ends[i], F_SETFD, 0);
        return status < 0 ? error_errno(err, ERROR_FAILED, "cannot hand a descriptor to QEMU") : 0;
}

static int run(const char *qemu, const char *const *arguments, struct error **err)
{
        _cleanup_(wires_clear) struct wires wires = { .frames = -1, .logs = STRV_INIT };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(closep) int for_net = -1;
        uint16_t ssh_port = 0;
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        wires.frames = ends[0];
        for_net = ends[1];
        arguments_logs(arguments, &wires.logs);
        if (start_logs(&wires, err) < 0)
                return -1;
        strv_add(&argv, qemu);
        if (arguments_rewrite(arguments, &(struct arguments_wires){ wires.frames, wires.log_ends }, &argv, &ssh_port, err) <
                    0 ||
            start_network(for_net, ssh_port, err) < 0 || keep_open(&wires, err) < 0)
                return -1;
        return become(&argv, err);
}

static int answer(const char *qemu, const char *const *arguments, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_add(&argv, qemu);
        for (const char *const *argument = arguments; *argument; argument++)
                strv_add(&argv, *argument);
        return become(&argv, err);
}

int main(int argc, char **argv)
{
        const char *const *arguments = (const char *const *)argv + (argc > 0);
        _cleanup_(error_freep) struct error *err = NULL;
        const char *qemu = variable("MACHINE_SHIM_QEMU", &err);

        if (qemu)
                (arguments_are_question(arguments) ? answer : run)(qemu, arguments, &err);
        if (err) {
                _cleanup_(freep) char *text = error_text(err);

                fprintf(stderr, "machine-shim: %s\n", text);
        }
        return EXIT_FAILURE;
}
