/*
 * machine-net: the only network of a virtual machine.
 *
 *     machine-net --frames-fd=N --ready-fd=N [--ssh-socket=PATH] [--forward=HOSTPORT:GUESTPORT]… [--lan] [--log=PATH]
 *                 [--hostname=NAME] [--network=ADDRESS] [--rules=PATH] [--account=PATH] [--held=KIB] [--goes-on]
 *
 * frames-fd   a connected unix stream socket; QEMU holds the other end (-netdev stream,addr.type=fd). We end when it ends.
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
 *
 * Exit status: 0 when QEMU has ended or after SIGTERM, 1 when something failed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"
#include "net/conduit.h"
#include "net/harden.h"
#include "net/supervisor.h"

enum { FRAMES_FD = 1, READY_FD, SSH_SOCKET, FORWARD, LAN, LOG_PATH, HOSTNAME, NETWORK, RULES, ACCOUNT, HELD, GOES_ON };

static const struct option options[] = {
        { "frames-fd", required_argument, NULL, FRAMES_FD },
        { "ready-fd", required_argument, NULL, READY_FD },
        { "ssh-socket", required_argument, NULL, SSH_SOCKET },
        { "forward", required_argument, NULL, FORWARD },
        { "lan", no_argument, NULL, LAN },
        { "log", required_argument, NULL, LOG_PATH },
        { "hostname", required_argument, NULL, HOSTNAME },
        { "network", required_argument, NULL, NETWORK },
        { "rules", required_argument, NULL, RULES },
        { "account", required_argument, NULL, ACCOUNT },
        { "held", required_argument, NULL, HELD },
        { "goes-on", no_argument, NULL, GOES_ON },
        { 0 },
};

static int parse_fd(const char *text, int *fd, struct error **err)
{
        int64_t number;

        if (text_parse_int(text, STDERR_FILENO + 1, INT32_MAX, &number) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not a descriptor", text);
        *fd = (int)number;
        return 0;
}

static int parse_forward(const char *text, struct net_settings *settings, struct error **err)
{
        const char *colon = strchr(text, ':');
        _cleanup_(freep) char *host = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
        int64_t host_port, guest_port;

        if (!colon || text_parse_int(host, 1, UINT16_MAX, &host_port) < 0 ||
            text_parse_int(colon + 1, 1, UINT16_MAX, &guest_port) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not HOSTPORT:GUESTPORT", text);
        settings->forwards = xreallocarray(settings->forwards, settings->forward_count + 1, sizeof(*settings->forwards));
        settings->forwards[settings->forward_count++] =
                (struct net_forward){ .host_port = (uint16_t)host_port, .guest_port = (uint16_t)guest_port };
        return 0;
}

static int parse_network(const char *text, struct net_settings *settings, struct error **err)
{
        settings->network = network_find(text);
        return settings->network ? 0 : error_set(err, ERROR_USAGE, "unknown network '%s': use 10.0.2.0 or 192.168.5.0", text);
}

static int parse_held(const char *text, struct net_settings *settings, struct error **err)
{
        int64_t number;

        if (text_parse_int(text, 0, INT32_MAX, &number) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not a number of KiB", text);
        settings->held_most = (size_t)number << 10;
        return 0;
}

static int open_file(const char *path, int flags, int *fd, struct error **err)
{
        *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
        return *fd < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", path) : 0;
}

static int check_stream(int fd, struct error **err)
{
        int type = 0;
        socklen_t length = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
                return error_set(err, ERROR_USAGE, "descriptor %d is not a stream socket", fd);
        return 0;
}

static int parse(int argc, char **argv, struct net_settings *settings, const char **log_path, struct error **err)
{
        int found;

        while ((found = getopt_long(argc, argv, "", options, NULL)) != -1) {
                switch (found) {
                case FRAMES_FD:
                        if (parse_fd(optarg, &settings->frames_fd, err) < 0)
                                return -1;
                        break;
                case READY_FD:
                        if (parse_fd(optarg, &settings->ready_fd, err) < 0)
                                return -1;
                        break;
                case SSH_SOCKET:
                        settings->socket_path = optarg;
                        break;
                case FORWARD:
                        if (parse_forward(optarg, settings, err) < 0)
                                return -1;
                        break;
                case LAN:
                        settings->lan = true;
                        break;
                case LOG_PATH:
                        *log_path = optarg;
                        break;
                case HOSTNAME:
                        settings->hostname = optarg;
                        break;
                case RULES:
                        if (open_file(optarg, O_RDONLY, &settings->rules_fd, err) < 0)
                                return -1;
                        break;
                case ACCOUNT:
                        if (open_file(optarg, O_RDWR | O_CREAT, &settings->account_fd, err) < 0)
                                return -1;
                        break;
                case GOES_ON:
                        settings->goes_on = true;
                        break;
                case HELD:
                        if (parse_held(optarg, settings, err) < 0)
                                return -1;
                        break;
                case NETWORK:
                        if (parse_network(optarg, settings, err) < 0)
                                return -1;
                        break;
                default:
                        return error_set(err, ERROR_USAGE, "unknown option");
                }
        }
        if (optind < argc)
                return error_set(err, ERROR_USAGE, "'%s' is not an option", argv[optind]);
        if (settings->frames_fd < 0 || settings->ready_fd < 0)
                return error_set(err, ERROR_USAGE, "--frames-fd and --ready-fd are needed");
        return check_stream(settings->frames_fd, err);
}

static int run(int argc, char **argv, struct net_settings *settings, struct error **err)
{
        const char *log_path = NULL;

        if (parse(argc, argv, settings, &log_path, err) < 0)
                return -1;
        if (settings->account_fd >= 0 && !settings->goes_on && ftruncate(settings->account_fd, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot empty the account");
        /* Keeps the user's variables from changing what the libraries do (SLIRP_DEBUG, G_DEBUG). */
        clearenv();
        umask(0177);
        if (log_open(&settings->log, log_path, err) < 0)
                return -1;

        const int keep[] = { settings->frames_fd, settings->ready_fd, settings->log.old_fd, settings->rules_fd,
                             settings->account_fd };

        if (harden_close_others(keep, ARRAY_SIZE(keep), err) < 0)
                return -1;
        return supervisor_run(settings, err);
}

int main(int argc, char **argv)
{
        struct net_settings settings = {
                .frames_fd = -1,
                .ready_fd = -1,
                .rules_fd = -1,
                .account_fd = -1,
                .network = &network_default,
                .held_most = CONDUIT_HELD_MOST,
        };
        struct error *error = NULL;
        int status = run(argc, argv, &settings, &error);

        if (error) {
                _cleanup_(freep) char *text = error_text(error);

                dprintf(settings.ready_fd >= 0 ? settings.ready_fd : STDERR_FILENO, "%s\n", text);
        }
        error_free(error);
        free(settings.forwards);
        /* Also for a worker, which must not run what its parent has registered for its own exit. */
        _exit(status < 0 ? EXIT_FAILURE : status);
}
