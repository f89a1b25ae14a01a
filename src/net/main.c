/*
 * machine-net: the only network of a virtual machine.
 *
 *     machine-net --frames-fd=N --ready-fd=N [--ssh-socket=PATH] [--forward=HOSTPORT:GUESTPORT]… [--lan] [--log=PATH]
 *                 [--hostname=NAME] [--network=ADDRESS] [--rules=PATH] [--account=PATH] [--held=KIB] [--goes-on]
 *                 [--control-fd=N] [--waker=PROGRAM --vm=NAME [--idle-look=SECONDS] [--wake-on=any]]
 *
 * frames-fd   a connected unix stream socket; QEMU holds the other end (-netdev stream,addr.type=fd). We end when it ends,
 *             unless the VM is parked then.
 * ready-fd    gets the line "ok" when all is bound, or one line that says what failed; then it is closed.
 * ssh-socket  unix socket (0600) in front of the guest's port 22.
 * forward     127.0.0.1:HOSTPORT leads to the guest's GUESTPORT.
 * lan         private addresses that are not the host's are allowed.
 * log         gets what was refused, see log.h; without it, standard error does.
 * hostname    given to the guest by DHCP.
 * rules       a file with what the guest may reach, checked for changes while it runs (rules.h); without it, all is open.
 * account     gets what the guest reached and what it was refused (account.h).
 * held        KiB that may be held for all connections together that have yet to show a name (conduit.h); 32768 by default.
 * goes-on     takes the place of one that ended: the account goes on from what is in its file.
 * network     the guest's: 10.0.2.0, or 192.168.5.0 for a guest of Lima's (network.h).
 * control-fd  a listening socket, on which `machine` says that the VM is parked and that it goes on (lib/net-control.h).
 * waker       `PROGRAM wake NAME` is run when something on this computer reaches for the guest of a parked VM (waker.h).
 * idle-look   `PROGRAM park --if-idle NAME` is run so often while the VM isn't parked. It succeeds when the VM isn't idle, too.
 * wake-on     any: bytes from outside on connections that the guest opened wake it, too.
 *
 * Exit status: 0 when QEMU has ended or after SIGTERM, 1 when something failed.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "net/harden.h"
#include "net/options.h"
#include "net/supervisor.h"

static int run(int argc, char **argv, struct options *options, struct error **err)
{
        struct net_settings *settings = &options->settings;
        int started;

        if (options_parse(argc, argv, options, err) < 0)
                return -1;
        if (settings->account_fd >= 0 && !settings->goes_on && ftruncate(settings->account_fd, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot empty the account");
        /* It keeps the user's environment and umask. */
        started = waker_start(&options->waker, &settings->waker, err);
        if (started != 0)
                return started < 0 ? -1 : EXIT_SUCCESS;
        /* Keeps the user's variables from changing what the libraries do (SLIRP_DEBUG, G_DEBUG). */
        clearenv();
        umask(0177);
        if (log_open(&settings->log, options->log_path, err) < 0)
                return -1;

        const int keep[] = { settings->frames_fd, settings->control_fd, settings->ready_fd,       settings->log.old_fd,
                             settings->rules_fd,  settings->account_fd, settings->waker.state_fd, settings->waker.number_fd };

        if (harden_close_others(keep, ARRAY_SIZE(keep), err) < 0)
                return -1;
        return supervisor_run(settings, err);
}

int main(int argc, char **argv)
{
        struct options options = OPTIONS_INIT;
        struct error *error = NULL;
        int status = run(argc, argv, &options, &error);

        if (error) {
                _cleanup_(freep) char *text = error_text(error);

                dprintf(options.settings.ready_fd >= 0 ? options.settings.ready_fd : STDERR_FILENO, "%s\n", text);
        }
        error_free(error);
        options_clear(&options);
        /* Also for a worker, which must not run what its parent has registered for its own exit. */
        _exit(status < 0 ? EXIT_FAILURE : status);
}
