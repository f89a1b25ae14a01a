#include "net/channel.h"

#include <errno.h>
#include <sys/socket.h>

#include "net/message.h"

int channel_make(int *supervisor, int *worker, struct error **err)
{
        int ends[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a channel to a worker");
        *supervisor = ends[0];
        *worker = ends[1];
        return 0;
}

int channel_send(int fd, const struct channel_message *message, int wire)
{
        return message_send(fd, message, sizeof(*message), wire);
}

int channel_receive(int fd, struct channel_message *out, int *wire)
{
        ssize_t length = message_receive(fd, out, sizeof(*out), wire);

        if (length == (ssize_t)sizeof(*out))
                return 1;
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (wire) {
                closep(wire);
                *wire = -1;
        }
        return -1;
}
