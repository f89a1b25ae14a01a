#include "net/listen.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/unix-socket.h"
#include "net/conduit.h"
#include "net/kernel.h"

/* Connections that may wait to be accepted. libslirp says 1, but a browser opens six. */
#define BACKLOG 64

static struct sockaddr_in guest_address(const struct network *network, uint16_t port)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(network->guest),
                .sin_port = htons(port),
        };
}

static bool answers(const struct sockaddr_un *address)
{
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

        return fd >= 0 && (kernel_connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN);
}

/* Removes a socket that a killed process left and nobody listens on. Anything else stays, and bind(2) says what is wrong. */
static void remove_stale(const struct sockaddr_un *address)
{
        struct stat status;

        if (lstat(address->sun_path, &status) == 0 && S_ISSOCK(status.st_mode) && !answers(address))
                (void)unlink(address->sun_path);
}

static int listen_ssh(Slirp *slirp, const struct net_settings *settings, struct net_shared *shared, struct error **err)
{
        const struct sockaddr_in guest = guest_address(settings->network, NETWORK_PORT_SSH);
        struct sockaddr_un address;

        if (unix_socket_address(settings->socket_path, &address) < 0)
                return error_set(err, ERROR_FAILED, "the path of the socket '%s' is longer than %zu bytes",
                                 settings->socket_path, sizeof(address.sun_path) - 1);
        remove_stale(&address);
        if (slirp_add_hostxfwd(slirp, (struct sockaddr *)&address, sizeof(address), (const struct sockaddr *)&guest,
                               sizeof(guest), 0) == 0) {
                shared->bound = true;
                return 0;
        }
        if (errno == EADDRINUSE)
                return error_set(err, ERROR_FAILED, "'%s' is already in use", settings->socket_path);
        return error_errno(err, ERROR_FAILED, "cannot listen on '%s'", settings->socket_path);
}

static int listen_port(Slirp *slirp, const struct network *network, const struct net_forward *forward, struct error **err)
{
        const struct sockaddr_in guest = guest_address(network, forward->guest_port);
        const struct sockaddr_in host = {
                .sin_family = AF_INET,
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                .sin_port = htons(forward->host_port),
        };

        if (slirp_add_hostxfwd(slirp, (const struct sockaddr *)&host, sizeof(host), (const struct sockaddr *)&guest,
                               sizeof(guest), 0) == 0)
                return 0;
        if (errno == EADDRINUSE)
                return error_set(err, ERROR_FAILED, "port %u on 127.0.0.1 is already in use", forward->host_port);
        return error_errno(err, ERROR_FAILED, "cannot listen on port %u on 127.0.0.1", forward->host_port);
}

static int forgive(struct net_settings *settings, const struct net_shared *shared, struct error **err)
{
        _cleanup_(freep) char *text = NULL;

        if (!shared->ready)
                return -1;
        text = error_text(*err);
        log_note(&settings->log, "%s", text);
        error_free(*err);
        *err = NULL;
        return 0;
}

/* Widens each queue and tells the conduit. libslirp doesn't hand out its listening descriptors, but says that it polls them. */
static int look_at(int fd, int events, void *data)
{
        int listening = 0;
        socklen_t length = sizeof(listening);

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) < 0 || !listening)
                return 0;
        (void)listen(fd, BACKLOG);
        conduit_keep_listener(fd);
        return 0;
}

int listen_all(Slirp *slirp, struct net_settings *settings, struct net_shared *shared, struct error **err)
{
        uint32_t timeout = 0;

        if (settings->socket_path && listen_ssh(slirp, settings, shared, err) < 0 && forgive(settings, shared, err) < 0)
                return -1;
        for (size_t i = 0; i < settings->forward_count; i++)
                if (listen_port(slirp, settings->network, &settings->forwards[i], err) < 0 &&
                    forgive(settings, shared, err) < 0)
                        return -1;
        slirp_pollfds_fill(slirp, &timeout, look_at, NULL);
        return 0;
}
