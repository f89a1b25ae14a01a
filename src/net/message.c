#include "net/message.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/util.h"
#include "net/kernel.h"

union beside {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
};

int message_send(int socket, const void *data, size_t length, int fd)
{
        union beside beside = { 0 };
        struct iovec part = { .iov_base = (void *)data, .iov_len = length };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (fd < 0)
                return kernel_send(socket, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
        beside.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(fd)) };
        memcpy(CMSG_DATA(&beside.head), &fd, sizeof(fd));
        message.msg_control = beside.room;
        message.msg_controllen = sizeof(beside.room);
        return sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

static int descriptor_of(struct msghdr *message)
{
        const struct cmsghdr *head = CMSG_FIRSTHDR(message);
        int fd = -1;

        if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(fd)))
                memcpy(&fd, CMSG_DATA(head), sizeof(fd));
        return fd;
}

ssize_t message_receive(int socket, void *data, size_t room, int *fd)
{
        union beside beside = { 0 };
        struct iovec part = { .iov_base = data, .iov_len = room };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
        ssize_t length;

        if (fd) {
                message.msg_control = beside.room;
                /* No more than one fits: the kernel would use the padding for a second one. */
                message.msg_controllen = CMSG_LEN(sizeof(*fd));
        }
        length = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (fd)
                *fd = length >= 0 ? descriptor_of(&message) : -1;
        if (length >= 0 && (message.msg_flags & MSG_TRUNC) != 0) {
                if (fd) {
                        closep(fd);
                        *fd = -1;
                }
                errno = EMSGSIZE;
                return -1;
        }
        return length;
}
