#include "lib/net-control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/os.h"

/* How long to leave a listener with a full queue alone: no descriptor tells when it has room again. */
#define QUEUE_RETRY_MS 20

union beside {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
};

static bool nobody_there(int reason)
{
        return reason == ENOENT || reason == ENOTDIR || reason == ECONNREFUSED;
}

static int cannot_connect(const char *path, struct error **err)
{
        return error_errno(err, nobody_there(errno) ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot connect to '%s'", path);
}

/* Connects to the file that is open as `place`, so neither a long path nor a symlink matters. */
static int connect_place(int fd, int place)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place);
        return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static int connect_until(const char *path, deadline limit, int *fd, struct error **err)
{
        _cleanup_(closep) int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(closep) int connected = -1;
        struct stat status;

        if (place < 0)
                return cannot_connect(path, err);
        if (fstat(place, &status) < 0 || !S_ISSOCK(status.st_mode))
                return error_set(err, ERROR_ENGINE, "'%s' is not a socket", path);
        connected = os_socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK);
        if (connected < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        while (connect_place(connected, place) < 0) {
                int left = deadline_left(limit);

                if (errno != EAGAIN && errno != EINTR)
                        return cannot_connect(path, err);
                if (left == 0)
                        return error_set(err, ERROR_ENGINE, "'%s' does not accept connections", path);
                if (errno == EAGAIN)
                        poll(NULL, 0, left > 0 && left < QUEUE_RETRY_MS ? left : QUEUE_RETRY_MS);
        }
        *fd = TAKE_FD(connected);
        return 0;
}

static int send_request(int socket, const char *word, int fd, struct error **err)
{
        struct net_request request = { 0 };
        union beside beside = { 0 };
        struct iovec part = { .iov_base = &request, .iov_len = sizeof(request) };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        memcpy(request.word, word, strnlen(word, sizeof(request.word)));
        if (fd >= 0) {
                beside.head =
                        (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fd)) };
                memcpy(CMSG_DATA(&beside.head), &fd, sizeof(fd));
                message.msg_control = beside.room;
                message.msg_controllen = sizeof(beside.room);
        }
        /* A fresh connection has room for so little. */
        if (sendmsg(socket, &message, 0) < 0)
                return error_errno(err, ERROR_ENGINE, "cannot send");
        return 0;
}

static int read_reply(int socket, deadline limit, struct net_reply *out, struct error **err)
{
        for (;;) {
                struct pollfd polled = { .fd = socket, .events = POLLIN };
                struct net_reply reply;
                ssize_t got = recv(socket, &reply, sizeof(reply), 0);

                if (got == (ssize_t)sizeof(reply)) {
                        *out = reply;
                        return 0;
                }
                if (got >= 0)
                        return error_set(err, ERROR_ENGINE, "there is no answer");
                if (errno != EAGAIN && errno != EINTR)
                        return error_errno(err, ERROR_ENGINE, "cannot read the answer");
                if (deadline_passed(limit))
                        return error_set(err, ERROR_ENGINE, "there is no answer in time");
                if (poll(&polled, 1, deadline_left(limit)) < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for the answer");
        }
}

int net_control_call(const char *path, const char *word, int fd, deadline limit, struct net_reply *out, struct error **err)
{
        _cleanup_(closep) int socket = -1;

        if (connect_until(path, limit, &socket, err) < 0)
                return -1;
        if (send_request(socket, word, fd, err) < 0 || read_reply(socket, limit, out, err) < 0)
                return error_wrap(err, "the network process doesn't do '%s'", word);
        if (out->status == 0)
                return 0;
        errno = (int)out->status;
        error_errno(err, ERROR_ENGINE, "the network process refuses '%s'", word);
        return -1;
}
