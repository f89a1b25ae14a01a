#include "net/kernel.h"

#include <sys/syscall.h>
#include <unistd.h>

int kernel_connect(int fd, const struct sockaddr *address, socklen_t length)
{
        return (int)syscall(SYS_connect, fd, address, length);
}

int kernel_accept(int fd, struct sockaddr *address, socklen_t *length)
{
        return (int)syscall(SYS_accept, fd, address, length);
}

ssize_t kernel_send(int fd, const void *data, size_t length, int flags)
{
        return syscall(SYS_sendto, fd, data, length, flags, NULL, 0);
}

ssize_t kernel_send_to(int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
                       socklen_t address_length)
{
        return syscall(SYS_sendto, fd, data, length, flags, address, address_length);
}

ssize_t kernel_receive(int fd, void *data, size_t length, int flags)
{
        return syscall(SYS_recvfrom, fd, data, length, flags, NULL, NULL);
}

ssize_t kernel_receive_from(int fd, void *data, size_t length, int flags, struct sockaddr *address, socklen_t *address_length)
{
        return syscall(SYS_recvfrom, fd, data, length, flags, address, address_length);
}

int kernel_shutdown(int fd, int how)
{
        return (int)syscall(SYS_shutdown, fd, how);
}

int kernel_close(int fd)
{
        return (int)syscall(SYS_close, fd);
}
