#include "net/options.h"

#include <fcntl.h>
#include <getopt.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/text.h"

#define IDLE_LOOK_MOST (24 * 60 * 60) /* seconds */

static int parse_fd(const char *text, int *fd, struct error **err)
{
        int64_t number;

        if (text_parse_int(text, STDERR_FILENO + 1, INT32_MAX, &number) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not a descriptor", text);
        *fd = (int)number;
        return 0;
}

static int open_file(const char *path, int flags, int *fd, struct error **err)
{
        *fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
        return *fd < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", path) : 0;
}

static int take_frames_fd(const char *text, struct options *out, struct error **err)
{
        return parse_fd(text, &out->settings.frames_fd, err);
}

static int take_ready_fd(const char *text, struct options *out, struct error **err)
{
        return parse_fd(text, &out->settings.ready_fd, err);
}

static int take_control_fd(const char *text, struct options *out, struct error **err)
{
        return parse_fd(text, &out->settings.control_fd, err);
}

static int take_ssh_socket(const char *text, struct options *out, struct error **err)
{
        out->settings.socket_path = text;
        return 0;
}

static int take_forward(const char *text, struct options *out, struct error **err)
{
        struct net_settings *settings = &out->settings;
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

static int take_lan(const char *text, struct options *out, struct error **err)
{
        out->settings.lan = true;
        return 0;
}

static int take_log(const char *text, struct options *out, struct error **err)
{
        out->log_path = out->waker.log = text;
        return 0;
}

static int take_hostname(const char *text, struct options *out, struct error **err)
{
        out->settings.hostname = text;
        return 0;
}

static int take_network(const char *text, struct options *out, struct error **err)
{
        out->settings.network = network_find(text);
        if (out->settings.network)
                return 0;
        return error_set(err, ERROR_USAGE, "unknown network '%s': use 10.0.2.0 or 192.168.5.0", text);
}

static int take_rules(const char *text, struct options *out, struct error **err)
{
        return open_file(text, O_RDONLY, &out->settings.rules_fd, err);
}

static int take_account(const char *text, struct options *out, struct error **err)
{
        return open_file(text, O_RDWR | O_CREAT, &out->settings.account_fd, err);
}

static int take_held(const char *text, struct options *out, struct error **err)
{
        int64_t number;

        if (text_parse_int(text, 0, INT32_MAX, &number) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not a number of KiB", text);
        out->settings.held_most = (size_t)number << 10;
        return 0;
}

static int take_goes_on(const char *text, struct options *out, struct error **err)
{
        out->settings.goes_on = true;
        return 0;
}

static int take_waker(const char *text, struct options *out, struct error **err)
{
        out->waker.program = text;
        return 0;
}

static int take_vm(const char *text, struct options *out, struct error **err)
{
        out->waker.name = text;
        return 0;
}

static int take_idle_look(const char *text, struct options *out, struct error **err)
{
        if (text_parse_int(text, 1, IDLE_LOOK_MOST, &out->waker.idle_look) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not a number of seconds", text);
        return 0;
}

static int take_wake_on(const char *text, struct options *out, struct error **err)
{
        out->settings.wake_on_any = true;
        return streq(text, "any") ? 0 : error_set(err, ERROR_USAGE, "unknown '--wake-on=%s': use 'any', or leave it out", text);
}

static const struct {
        const char *name;
        int argument;
        int (*take)(const char *text, struct options *out, struct error **err);
} table[] = {
        { "frames-fd", required_argument, take_frames_fd },
        { "ready-fd", required_argument, take_ready_fd },
        { "control-fd", required_argument, take_control_fd },
        { "ssh-socket", required_argument, take_ssh_socket },
        { "forward", required_argument, take_forward },
        { "lan", no_argument, take_lan },
        { "log", required_argument, take_log },
        { "hostname", required_argument, take_hostname },
        { "network", required_argument, take_network },
        { "rules", required_argument, take_rules },
        { "account", required_argument, take_account },
        { "held", required_argument, take_held },
        { "goes-on", no_argument, take_goes_on },
        { "waker", required_argument, take_waker },
        { "vm", required_argument, take_vm },
        { "idle-look", required_argument, take_idle_look },
        { "wake-on", required_argument, take_wake_on },
};

static int check_stream(int fd, struct error **err)
{
        int type = 0;
        socklen_t length = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
                return error_set(err, ERROR_USAGE, "descriptor %d is not a stream socket", fd);
        return 0;
}

static int check(const struct options *out, struct error **err)
{
        if (out->settings.frames_fd < 0 || out->settings.ready_fd < 0)
                return error_set(err, ERROR_USAGE, "--frames-fd and --ready-fd are needed");
        if (!out->waker.program != !out->waker.name || (!out->waker.program && out->waker.idle_look > 0))
                return error_set(err, ERROR_USAGE, "--waker needs --vm, and --vm and --idle-look need --waker");
        return check_stream(out->settings.frames_fd, err);
}

int options_parse(int argc, char **argv, struct options *out, struct error **err)
{
        struct option known[ARRAY_SIZE(table) + 1] = { 0 };
        int found;

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                known[i] = (struct option){ .name = table[i].name, .has_arg = table[i].argument, .val = (int)i + 1 };
        while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
                if (found < 1 || found > (int)ARRAY_SIZE(table))
                        return error_set(err, ERROR_USAGE, "unknown option");
                if (table[found - 1].take(optarg, out, err) < 0)
                        return -1;
        }
        if (optind < argc)
                return error_set(err, ERROR_USAGE, "'%s' is not an option", argv[optind]);
        return check(out, err);
}

void options_clear(struct options *options)
{
        free(options->settings.forwards);
}
