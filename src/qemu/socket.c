#include "qemu/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/os.h"

/* How long to leave a listener with a full queue alone: no descriptor tells when it has room again. */
#define QUEUE_RETRY_MS 20
#define BACKLOG        8

static int connect_by(int fd, int place)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d", place);
        return connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

/* The address of a file in the open folder `place`. A path that is short enough is written as it is: QEMU removes the name that
 * it finds there when it ends. */
static void name_socket(const char *path, int place, struct sockaddr_un *out)
{
        _cleanup_(freep) char *name = path_base(path);

        *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) < sizeof(out->sun_path))
                memcpy(out->sun_path, path, strlen(path) + 1);
        else
                snprintf(out->sun_path, sizeof(out->sun_path), "/proc/self/fd/%d/%s", place, name);
}

static int make_listener(const char *path, int type, int *fd, struct error **err)
{
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(closep) int place = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(closep) int made = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        struct sockaddr_un address;

        if (place < 0 || made < 0)
                return error_errno(err, ERROR_FAILED, "cannot make the socket '%s'", path);
        name_socket(path, place, &address);
        if (bind(made, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(made, BACKLOG) < 0)
                return error_errno(err, ERROR_FAILED, "cannot listen at '%s'", path);
        *fd = TAKE_FD(made);
        return 0;
}

int socket_listen(const char *path, int *fd, struct error **err)
{
        return make_listener(path, SOCK_STREAM, fd, err);
}

int socket_listen_messages(const char *path, int *fd, struct error **err)
{
        if (unlink(path) < 0 && errno != ENOENT)
                return error_errno(err, ERROR_FAILED, "cannot remove '%s'", path);
        return make_listener(path, SOCK_SEQPACKET, fd, err);
}

static bool nobody_there(int reason)
{
        return reason == ENOENT || reason == ECONNREFUSED || reason == ELOOP;
}

static int make_connection(const char *path, int type, deadline limit, int *fd, struct error **err)
{
        _cleanup_(closep) int place = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        _cleanup_(closep) int connected = -1;
        struct stat status;

        if (place < 0)
                return error_errno(err, nobody_there(errno) ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot connect to '%s'", path);
        if (fstat(place, &status) < 0 || !S_ISSOCK(status.st_mode))
                return error_set(err, ERROR_ENGINE, "'%s' is not a socket", path);
        connected = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connected < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a socket");
        while (connect_by(connected, place) < 0) {
                int left = deadline_left(limit);

                if (errno != EAGAIN && errno != EINTR)
                        return error_errno(err, nobody_there(errno) ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot connect to '%s'",
                                           path);
                if (left == 0)
                        return error_set(err, ERROR_ENGINE, "'%s' does not accept connections", path);
                if (errno == EAGAIN)
                        poll(NULL, 0, left > 0 && left < QUEUE_RETRY_MS ? left : QUEUE_RETRY_MS);
        }
        *fd = TAKE_FD(connected);
        return 0;
}

int socket_connect(const char *path, deadline limit, int *fd, struct error **err)
{
        return make_connection(path, SOCK_STREAM, limit, fd, err);
}

int socket_connect_messages(const char *path, deadline limit, int *fd, struct error **err)
{
        return make_connection(path, SOCK_SEQPACKET, limit, fd, err);
}

int socket_listener(const char *path, deadline limit, int *process_fd, pid_t *pid, struct error **err)
{
        _cleanup_(closep) int fd = -1;
        pid_t listener;
        uid_t uid;
        int got;

        if (socket_connect(path, limit, &fd, err) < 0)
                return -1;
        if (os_peer_pid(fd, &listener, &uid) < 0)
                return error_errno(err, ERROR_ENGINE, "cannot tell who listens at '%s'", path);
        if (uid != geteuid() || listener <= 0)
                return error_set(err, ERROR_ENGINE, "a process of another user listens at '%s'", path);
        got = os_process_fd(listener);
        if (got < 0)
                return error_errno(err, errno == ESRCH ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot watch process %d",
                                   (int)listener);
        *process_fd = got;
        if (pid)
                *pid = listener;
        return 0;
}

int socket_wait(int fd, short events, deadline limit, struct error **err)
{
        for (;;) {
                struct pollfd polled = { .fd = fd, .events = events };
                int ready = poll(&polled, 1, deadline_left(limit));

                if (ready > 0)
                        return 1;
                if (ready < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for a socket");
                if (deadline_passed(limit))
                        return 0;
        }
}

int socket_send(int fd, const char *data, size_t length, deadline limit, struct error **err)
{
        while (length > 0) {
                ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);

                if (sent >= 0) {
                        data += sent;
                        length -= (size_t)sent;
                        continue;
                }
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_errno(err, ERROR_ENGINE, "cannot send");
                switch (socket_wait(fd, POLLOUT, limit, err)) {
                case 0:
                        return error_set(err, ERROR_ENGINE, "cannot send: the other end does not read");
                case -1:
                        return -1;
                }
        }
        return 0;
}

int socket_send_fd(int socket, const void *data, size_t length, int fd, deadline limit, struct error **err)
{
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
        struct iovec part = { .iov_base = (void *)data, .iov_len = length };
        const struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof(control.room)
        };

        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
                int ready = errno == EAGAIN ? socket_wait(socket, POLLOUT, limit, err) : 1;

                if (errno != EAGAIN && errno != EINTR)
                        return error_errno(err, ERROR_ENGINE, "cannot hand over a descriptor");
                if (ready <= 0)
                        return ready < 0 ? -1 : error_set(err, ERROR_ENGINE, "QEMU does not listen");
        }
        return 0;
}
