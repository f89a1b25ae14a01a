/*
 * `machine proxy NAME`: ssh's ProxyCommand. With `ProxyUseFdpass yes` our stdout is a unix socket over which ssh expects the
 * connected descriptor (ssh_config(5)), and we end. For a client that doesn't know this option we relay the bytes.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "lib/file.h"
#include "lib/unix-socket.h"
#include "operation/running.h"
#include "vm/vm.h"

struct proxy_options {
        struct common_options common;
        const char *socket;
};

static const struct option options[] = {
        OPTION(struct proxy_options, socket, "socket", 0, OPTION_TEXT, "PATH",
               "connect to the guest's sshd through this unix socket"),
        COMMON_OPTIONS(struct proxy_options),
        { 0 },
};

static int pass_descriptor(int socket, int fd, struct error **err)
{
        char byte = 0;
        struct iovec data = { .iov_base = &byte, .iov_len = 1 };
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct msghdr message = {
                .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
        };
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof fd);
        memcpy(CMSG_DATA(header), &fd, sizeof fd);
        while (sendmsg(socket, &message, 0) < 0)
                if (errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot hand the connection to ssh");
        return 0;
}

/* 1 = copied, 0 = end of file, -1 = error */
static int copy_some(int from, int to)
{
        char room[65536];
        ssize_t length = read(from, room, sizeof room);

        if (length <= 0)
                return length < 0 && errno == EINTR ? 1 : (int)length;
        for (ssize_t done = 0; done < length;) {
                ssize_t written = write(to, room + done, (size_t)(length - done));

                if (written < 0 && errno != EINTR)
                        return -1;
                if (written > 0)
                        done += written;
        }
        return 1;
}

static int relay(int fd, struct error **err)
{
        struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

        while (fds[1].fd >= 0) {
                if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for data");
                if (fds[0].revents && copy_some(STDIN_FILENO, fd) <= 0) {
                        shutdown(fd, SHUT_WR);
                        fds[0].fd = -1;
                }
                if (fds[1].revents && copy_some(fd, STDOUT_FILENO) <= 0)
                        fds[1].fd = -1;
        }
        return 0;
}

/* Connects to a guest that exists only while its layer is built. */
static int connect_socket(const char *path, int *fd, struct error **err)
{
        *fd = unix_socket_connect(path);
        if (*fd < 0)
                return error_errno(err, errno == ENAMETOOLONG ? ERROR_USAGE : ERROR_FAILED, "cannot connect to '%s'", path);
        return 0;
}

static int connect_vm(struct context *context, const char *name, int *fd, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (!name)
                return error_set(err, ERROR_USAGE, "'machine proxy' needs a VM's name");
        return running_open_by_name(&context->front, name, &vm, err) < 0 ? -1 : vm.engine->connect(&vm, fd, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct proxy_options *given = invocation->options;
        _cleanup_(closep) int fd = -1;
        struct stat info;

        if ((given->socket ? connect_socket(given->socket, &fd, err)
                           : connect_vm(context, invocation_name(invocation), &fd, err)) < 0)
                return -1;
        if (fstat(STDOUT_FILENO, &info) == 0 && S_ISSOCK(info.st_mode))
                return pass_descriptor(STDOUT_FILENO, fd, err);
        return relay(fd, err);
}

const struct command command_proxy = {
        .name = "proxy",
        .operands = "NAME",
        .summary = "connect ssh to a VM's sshd, starting the VM if it is stopped",
        .text = "ssh runs this as its ProxyCommand; you don't need to.",
        .options = options,
        .options_size = sizeof(struct proxy_options),
        .operands_most = 1,
        .internal = true,
        .run = run,
};
