/* With _FORTIFY_SOURCE, libc's headers define some of these functions themselves. */
#undef _FORTIFY_SOURCE

#include "net/calls.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conduit.h"
#include "net/kernel.h"

static struct calls_seen *noted;

void calls_note(struct calls_seen *seen)
{
        noted = seen;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): libc's headers use reserved names for parameters */

int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
        if (!noted)
                return conduit_connect(fd, address.__sockaddr__, length);
        noted->connect = true;
        errno = EINPROGRESS;
        return -1;
}

int accept(int fd, __SOCKADDR_ARG address, socklen_t *restrict length)
{
        return conduit_accept(fd, address.__sockaddr__, length);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
        if (!noted)
                return conduit_send(fd, data, length, flags);
        noted->send |= length > 0;
        return (ssize_t)length;
}

ssize_t sendto(int fd, const void *data, size_t length, int flags, __CONST_SOCKADDR_ARG address, socklen_t address_length)
{
        if (!noted)
                return conduit_send_to(fd, data, length, flags, address.__sockaddr__, address_length);
        noted->send_to = true;
        return (ssize_t)length;
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
        if (!noted)
                return conduit_receive(fd, data, length, flags);
        noted->receive = true;
        errno = EAGAIN;
        return -1;
}

int shutdown(int fd, int how)
{
        if (!noted)
                return conduit_shutdown(fd, how);
        noted->shutdown = true;
        return 0;
}

int close(int fd)
{
        if (noted)
                noted->close = true;
        return conduit_close(fd);
}

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
