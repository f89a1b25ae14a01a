#include "lib/unix-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/util.h"

#define BACKLOG         128
#define CONNECT_SECONDS 5

int unix_socket_address(const char *path, struct sockaddr_un *out)
{
        *out = (struct sockaddr_un){ .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(out->sun_path)) {
                errno = ENAMETOOLONG;
                return -1;
        }
        memcpy(out->sun_path, path, strlen(path) + 1);
        return 0;
}

/* Also limits connect(2), which waits while the queue of a listener that accepts nothing is full: unix(7), socket(7). */
static int limit_sending(int fd, int seconds)
{
        const struct timeval limit = { .tv_sec = seconds };

        return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int unix_socket_connect(const char *path)
{
        struct sockaddr_un address;
        _cleanup_(closep) int fd = -1;

        if (unix_socket_address(path, &address) < 0)
                return -1;
        fd = os_socket(AF_UNIX, SOCK_STREAM);
        if (fd < 0 || limit_sending(fd, CONNECT_SECONDS) < 0 ||
            connect(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) < 0 || limit_sending(fd, 0) < 0)
                return -1;
        return TAKE_FD(fd);
}

int unix_socket_listen(const char *path)
{
        struct sockaddr_un address;
        _cleanup_(closep) int fd = -1;
        mode_t before;
        bool done;

        if (unix_socket_address(path, &address) < 0)
                return -1;
        fd = os_socket(AF_UNIX, SOCK_STREAM);
        if (fd < 0)
                return -1;
        unlink(path);
        before = umask(0177);
        done = bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0;
        umask(before);
        return done ? TAKE_FD(fd) : -1;
}
