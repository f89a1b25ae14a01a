#include "qemu/net-control.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "qemu/socket.h"

static int send_request(int socket, const char *word, int fd, deadline limit, struct error **err)
{
        struct net_request request = { 0 };

        memcpy(request.word, word, strnlen(word, sizeof(request.word)));
        return fd >= 0 ? socket_send_fd(socket, &request, sizeof(request), fd, limit, err)
                       : socket_send(socket, (const char *)&request, sizeof(request), limit, err);
}

static int read_reply(int socket, deadline limit, struct net_reply *out, struct error **err)
{
        for (;;) {
                struct net_reply reply;
                int ready = socket_wait(socket, POLLIN, limit, err);
                ssize_t got;

                if (ready <= 0)
                        return ready < 0 ? -1 : error_set(err, ERROR_ENGINE, "there is no answer in time");
                got = recv(socket, &reply, sizeof(reply), 0);
                if (got == (ssize_t)sizeof(reply)) {
                        *out = reply;
                        return 0;
                }
                if (got >= 0)
                        return error_set(err, ERROR_ENGINE, "there is no answer");
                if (errno != EAGAIN && errno != EINTR)
                        return error_errno(err, ERROR_ENGINE, "cannot read the answer");
        }
}

int net_control_call(const char *path, const char *word, int fd, deadline limit, struct net_reply *out, struct error **err)
{
        _cleanup_(closep) int socket = -1;

        if (socket_connect_messages(path, limit, &socket, err) < 0)
                return -1;
        if (send_request(socket, word, fd, limit, err) < 0 || read_reply(socket, limit, out, err) < 0)
                return error_wrap(err, "the network process doesn't do '%s'", word);
        if (out->status == 0)
                return 0;
        errno = (int)out->status;
        error_errno(err, ERROR_ENGINE, "the network process refuses '%s'", word);
        return -1;
}
