#include "lima/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/strbuf.h"
#include "lib/text.h"
#include "vm/identity.h"

#define SESSION_MS 180000 /* one attempt to log in; ssh itself gives up a guest that is silent much sooner */
#define PAUSE_MS   500    /* between two attempts */
#define PORT_MS    2000
/* An emulated guest needs seconds to end a session. */
#define GUARD_END_MS 20000

int guest_connect(uint16_t port, deadline limit, int *fd, struct error **err)
{
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        _cleanup_(closep) int connected = os_socket(AF_INET, SOCK_STREAM);
        int failure = 0;
        socklen_t length = sizeof(failure);

        if (connected < 0 || fcntl(connected, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        if (connect(connected, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                struct pollfd polled = { .fd = connected, .events = POLLOUT };

                if (errno != EINPROGRESS)
                        return error_errno(err, ERROR_ENGINE, "cannot connect to port %u of 127.0.0.1", port);
                if (poll(&polled, 1, deadline_left(limit)) != 1)
                        return error_set(err, ERROR_ENGINE, "port %u of 127.0.0.1 does not answer", port);
                if (getsockopt(connected, SOL_SOCKET, SO_ERROR, &failure, &length) < 0 || failure != 0) {
                        errno = failure;
                        return error_errno(err, ERROR_ENGINE, "cannot connect to port %u of 127.0.0.1", port);
                }
        }
        if (fcntl(connected, F_SETFL, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a connection blocking");
        *fd = TAKE_FD(connected);
        return 0;
}

/* Files are named relative to the VM's folder, so that no path of the user's brings in characters that ssh would expand. */
static void build_ssh(const struct vm *vm, uint16_t port, const char *command, struct strv *argv)
{
        static const char *const options[] = {
                "BatchMode=yes",
                "IdentitiesOnly=yes",
                "IdentityAgent=none",
                "PreferredAuthentications=publickey",
                "UserKnownHostsFile=known_hosts",
                "GlobalKnownHostsFile=/dev/null",
                "StrictHostKeyChecking=yes",
                "HostKeyAlgorithms=ssh-ed25519",
                "KexAlgorithms=^curve25519-sha256",
                "UpdateHostKeys=no",
                "ControlPath=none",
                "ConnectTimeout=30",
                "LogLevel=ERROR",
        };

        strv_adds(argv, "ssh", "-F", "none", "-T", "-a", "-x", "-i", "id_ed25519", NULL);
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                strv_adds(argv, "-o", options[i], NULL);
        strv_add(argv, "-o");
        strv_addf(argv, "HostKeyAlias=machine-%s", vm->name);
        strv_add(argv, "-p");
        strv_addf(argv, "%u", port);
        strv_adds(argv, "-l", vm->record.user, "--", "127.0.0.1", command, NULL);
}

static int compare_identity(const struct vm *vm, struct strbuf *said, struct error **err)
{
        _cleanup_(freep) char *wanted = identity_machine_id(vm->record.uuid);
        _cleanup_(freep) char *shown = NULL;

        strbuf_trim_end(said);
        if (streq(said->buf, wanted))
                return 0;
        shown = text_visible_dup(said->buf);
        return error_set(err, ERROR_ENGINE, "the guest has not taken on its identity: its machine-id is '%s', not '%s'", shown,
                         wanted);
}

int guest_await(const struct vm *vm, uint16_t port, pid_t driver, struct progress *progress, struct error **err)
{
        _cleanup_(closep) int process_fd = os_process_fd(driver);
        struct pollfd polled[] = { { .fd = process_fd, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (process_fd < 0)
                return error_errno(err, ERROR_ENGINE, "cannot watch the process that runs the guest");

        build_ssh(vm, port, "cat /etc/machine-id", &argv);
        for (;;) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

                if (process_check(
                            &(struct process_spec){ .argv = strv_argv(&argv), .folder = vm->folder, .timeout_ms = SESSION_MS },
                            &said, &error) == 0)
                        return compare_identity(vm, &said, err);
                progress_look(progress, driver, now_ms());
                /* A wrong host key never becomes the right one. */
                bool refused = strstr(error->message, "verification failed");

                if (refused || progress_is_over(progress, now_ms())) {
                        if (err)
                                *err = TAKE_PTR(error);
                        error_wrap(err, "cannot log in to the guest on port %u of 127.0.0.1", port);
                        if (!refused)
                                error_passes(err, PROGRESS_BOOT_PASSES);
                        return error_set_kind(err, ERROR_ENGINE);
                }
                if (interrupt_check(err) < 0)
                        return -1;
                if (poll(polled, ARRAY_SIZE(polled), PAUSE_MS) > 0 && polled[0].revents)
                        return error_set(err, ERROR_ENGINE, "the guest ended before its sshd answered");
        }
}

int guest_run(const struct vm *vm, uint16_t port, const struct strbuf *script, int timeout_ms, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        build_ssh(vm, port, "sudo -n /bin/sh -s", &argv);
        return process_check(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .folder = vm->folder,
                                                     .input = script->buf,
                                                     .input_length = script->len,
                                                     .timeout_ms = timeout_ms },
                             NULL, err);
}

int guest_guard_begin(const struct vm *vm, uint16_t port, struct guest_guard *guard, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(closep) int reading = -1;
        _cleanup_(closep) int writing = -1;
        int ends[2];

        build_ssh(vm, port, "read -r _ || sudo -n systemctl poweroff", &argv);
        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        reading = ends[0];
        writing = ends[1];
        if (process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                  .folder = vm->folder,
                                                  .stdin_fd = reading,
                                                  .new_session = true },
                          &guard->ssh, err) < 0)
                return -1;
        guard->fd = TAKE_FD(writing);
        return 0;
}

/* Sends a line, which our death would not. A guest that keeps the session open must not keep us waiting. */
void guest_guard_end(struct guest_guard *guard)
{
        if (guard->fd < 0)
                return;
        (void)!write(guard->fd, "\n", 1);
        close(guard->fd);
        if (process_wait(guard->ssh, GUARD_END_MS, NULL, NULL) == 0) {
                kill(guard->ssh, SIGKILL);
                process_wait(guard->ssh, GUARD_END_MS, NULL, NULL);
        }
        *guard = (struct guest_guard)GUEST_GUARD_INIT;
}

int guest_check_ports(const struct vm *vm, struct error **err)
{
        for (size_t i = 0; i < vm->record.port_count; i++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(closep) int fd = -1;

                if (guest_connect(vm->record.ports[i].host, deadline_in(PORT_MS), &fd, &error) < 0)
                        return error_set(err, ERROR_ENGINE,
                                         "Lima could not forward port %u of 127.0.0.1 to the guest's port %u",
                                         vm->record.ports[i].host, vm->record.ports[i].guest);
        }
        return 0;
}
