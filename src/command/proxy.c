/*
 * `machine proxy NAME`: ssh's ProxyCommand. With `ProxyUseFdpass yes` our stdout is a unix socket over which ssh expects the
 * connected descriptor (ssh_config(5)), and we end. For a client that doesn't know this option we relay the bytes.
 *
 * What goes wrong here must reach the person. But ssh sends our standard error to nowhere when it keeps its connection open
 * (ControlPersist, as in our own configuration). So ssh is told as a server would tell it: by an SSH disconnect message, which
 * it shows. Source: RFC 4253, sections 4.2 (the version), 6 (packets), 11.1 (the message).
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command/command.h"
#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/text.h"
#include "lib/unix-socket.h"
#include "operation/running.h"
#include "vm/vm.h"

#define VERSION              "SSH-2.0-machine\r\n"
#define DISCONNECT           1  /* SSH_MSG_DISCONNECT */
#define BY_APPLICATION       11 /* SSH_DISCONNECT_BY_APPLICATION */
#define BLOCK                8
#define PADDING_LEAST        4
#define DISCONNECT_TEXT_MOST 400 /* ssh shows no more */
#define LINGER_MS            5000

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

/* Sends some bytes, and a descriptor with them. */
static int send_with(int socket, const void *bytes, size_t length, int fd)
{
        struct iovec data = { .iov_base = (void *)bytes, .iov_len = length };
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
                        return -1;
        return 0;
}

static int pass_descriptor(int socket, int fd, struct error **err)
{
        return send_with(socket, "", 1, fd) < 0 ? error_errno(err, ERROR_FAILED, "cannot hand the connection to ssh") : 0;
}

static void add_number(struct strbuf *out, size_t number)
{
        for (int shift = 24; shift >= 0; shift -= 8)
                strbuf_addc(out, (char)(number >> shift));
}

/* The packet that an SSH server sends before it closes. It is not encrypted yet. */
static void build_disconnect(const char *text, struct strbuf *out)
{
        size_t length = strnlen(text, DISCONNECT_TEXT_MOST);
        size_t payload = 1 + 4 + 4 + length + 4;
        size_t padding = PADDING_LEAST + (BLOCK - (4 + 1 + payload + PADDING_LEAST) % BLOCK) % BLOCK;

        add_number(out, 1 + payload + padding);
        strbuf_addc(out, (char)padding);
        strbuf_addc(out, DISCONNECT);
        add_number(out, BY_APPLICATION);
        add_number(out, length);
        strbuf_add(out, text, length);
        add_number(out, 0);
        for (size_t i = 0; i < padding; i++)
                strbuf_addc(out, 0);
}

/* What ssh shows of an error: DISCONNECT_TEXT_MOST bytes of ASCII, in one line. A long text is cut, and not the way out. */
static char *text_for_ssh(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf hint = STRBUF_INIT;
        _cleanup_(freep) char *text = error_text(error);
        size_t most;

        if (error->hint) {
                strbuf_adds(&hint, "; hint: ");
                text_visible(&hint, error->hint, strnlen(error->hint, DISCONNECT_TEXT_MOST / 2));
        }
        most = DISCONNECT_TEXT_MOST > hint.len ? DISCONNECT_TEXT_MOST - hint.len : 0;
        strbuf_addf(&shown, "machine: %s", text);
        strbuf_truncate(&shown, shown.len < most ? shown.len : most);
        strbuf_adds(&shown, hint.buf);
        for (size_t i = 0; i < shown.len; i++)
                if ((unsigned char)shown.buf[i] >= 0x80)
                        shown.buf[i] = '?';
        return strbuf_take(&shown);
}

/*
 * Hands ssh a connection on which the message waits. Our end travels along with the message's last bytes: so it stays open
 * until ssh has read them, when we have ended long before.
 */
static int pass_message(int socket, const struct strbuf *packet)
{
        _cleanup_(closep) int ours = -1;
        _cleanup_(closep) int theirs = -1;
        int ends[2];

        if (os_socket_pair(ends) < 0)
                return -1;
        ours = ends[0];
        theirs = ends[1];
        if (write(ours, VERSION, sizeof(VERSION) - 1) < 0 || send_with(ours, packet->buf, packet->len, ours) < 0)
                return -1;
        return send_with(socket, "", 1, theirs);
}

static void relay_message(const struct strbuf *packet)
{
        deadline limit = deadline_in(LINGER_MS);
        struct pollfd polled = { .fd = STDIN_FILENO, .events = POLLIN };
        char block[4096];

        if (write(STDOUT_FILENO, VERSION, sizeof(VERSION) - 1) < 0 || write(STDOUT_FILENO, packet->buf, packet->len) < 0)
                return;
        /* A client that can't write what it wanted to would report that, and not what we said. */
        while (poll(&polled, 1, deadline_left(limit)) > 0 && read(STDIN_FILENO, block, sizeof(block)) > 0)
                ;
}

/* Tells the client why it gets no connection. Returns true when the client is ssh, which shows the reason to the person. */
static bool tell_client(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf packet = STRBUF_INIT;
        _cleanup_(freep) char *text = NULL;
        struct stat info;

        if (error->kind == ERROR_USAGE || fstat(STDOUT_FILENO, &info) < 0 || isatty(STDOUT_FILENO))
                return false;
        text = text_for_ssh(error);
        build_disconnect(text, &packet);
        if (S_ISSOCK(info.st_mode))
                return pass_message(STDOUT_FILENO, &packet) == 0;
        relay_message(&packet);
        return false;
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
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(closep) int fd = -1;
        struct stat info;

        if ((given->socket ? connect_socket(given->socket, &fd, &error)
                           : connect_vm(context, invocation_name(invocation), &fd, &error)) < 0)
                return tell_client(error) ? error_exit_status(error) : error_give(err, TAKE_PTR(error));
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
