#include "keys/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/deadline.h"

#define ROOM_MS 5000

/* Room for one descriptor that goes with a word. */
union beside {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
};

static ssize_t receive_with_descriptor(struct channel *channel, void *into, size_t length)
{
        union beside beside = { 0 };
        struct iovec part = { .iov_base = into, .iov_len = length };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof(beside.room)
        };
        ssize_t got = recvmsg(channel->fd, &message, MSG_DONTWAIT);
        const struct cmsghdr *head = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;

        if (head && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
                closep(&channel->passed);
                memcpy(&channel->passed, CMSG_DATA(head), sizeof(channel->passed));
        }
        return got;
}

int channel_receive(struct channel *channel, struct word *out, int *passed)
{
        char *into = (char *)&channel->word + channel->have;
        size_t missing = sizeof(channel->word) - channel->have;
        ssize_t got = passed ? receive_with_descriptor(channel, into, missing) : recv(channel->fd, into, missing, MSG_DONTWAIT);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (got <= 0)
                return -1;
        channel->have += (size_t)got;
        if (channel->have < sizeof(channel->word))
                return 0;
        channel->have = 0;
        *out = channel->word;
        out->text[WORD_TEXT - 1] = '\0';
        if (passed)
                *passed = TAKE_FD(channel->passed);
        return 1;
}

static ssize_t send_part(int fd, const void *data, size_t length, int passed)
{
        union beside beside = { 0 };
        struct iovec part = { .iov_base = (void *)data, .iov_len = length };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (passed < 0)
                return send(fd, data, length, MSG_DONTWAIT);
        message.msg_control = beside.room;
        message.msg_controllen = sizeof(beside.room);
        beside.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
        memcpy(CMSG_DATA(&beside.head), &passed, sizeof(passed));
        return sendmsg(fd, &message, MSG_DONTWAIT);
}

/* Waits for room. Returns false when the limit has passed, or poll(2) fails. */
static bool await_room(int fd, deadline limit)
{
        struct pollfd polled = { .fd = fd, .events = POLLOUT };

        return !deadline_passed(limit) && (poll(&polled, 1, deadline_left(limit)) >= 0 || errno == EINTR);
}

static int send_all(int fd, const char *data, size_t length, int passed)
{
        deadline limit = deadline_in(ROOM_MS);

        while (length > 0) {
                ssize_t sent = send_part(fd, data, length, passed);

                if (sent > 0) {
                        data += sent;
                        length -= (size_t)sent;
                        passed = -1;
                } else if ((errno != EAGAIN && errno != EINTR) || !await_room(fd, limit)) {
                        return -1;
                }
        }
        return 0;
}

int channel_send(const struct channel *channel, enum word_kind kind, uint32_t number, enum answer answer, const char *text,
                 int passed)
{
        struct word word = { .kind = kind, .number = number, .answer = answer };
        size_t length = text ? strlen(text) : 0;

        memcpy(word.text, text ? text : "", length < WORD_TEXT ? length : WORD_TEXT - 1);
        return send_all(channel->fd, (const char *)&word, sizeof(word), passed);
}
