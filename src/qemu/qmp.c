#include "qemu/qmp.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/strv.h"
#include "qemu/lines.h"
#include "qemu/qmp-protocol.h"
#include "qemu/socket.h"

#define EVENTS_KEPT 256

struct qmp {
        int fd;
        struct qmp_protocol protocol;
        struct lines lines;
        struct strv events; /* names, the oldest first */
};

void qmp_free(struct qmp *qmp)
{
        if (!qmp)
                return;
        closep(&qmp->fd);
        lines_clear(&qmp->lines);
        strv_clear(&qmp->events);
        free(qmp);
}

void qmp_freep(struct qmp **qmp)
{
        qmp_free(*qmp);
}

int qmp_fd(const struct qmp *qmp)
{
        return qmp->fd;
}

static void drop_oldest_event(struct qmp *qmp)
{
        free(qmp->events.items[0]);
        qmp->events.count--;
        memmove(qmp->events.items, qmp->events.items + 1, (qmp->events.count + 1) * sizeof(*qmp->events.items));
}

static void keep_event(struct qmp *qmp, struct qmp_message *message)
{
        if (qmp->events.count == EVENTS_KEPT)
                drop_oldest_event(qmp);
        strv_take(&qmp->events, TAKE_PTR(message->name));
}

/* Reads what is there. 1 = something came, 0 = the limit passed first. */
static int receive(struct qmp *qmp, deadline limit, struct error **err)
{
        char block[16 << 10];
        ssize_t got;

        for (;;) {
                got = recv(qmp->fd, block, sizeof(block), 0);
                if (got > 0)
                        break;
                if (got == 0 || errno == ECONNRESET)
                        return error_set(err, ERROR_ENGINE, "QEMU has ended");
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_errno(err, ERROR_ENGINE, "cannot read from QEMU");
                switch (socket_wait(qmp->fd, POLLIN, limit, err)) {
                case 0:
                        return 0;
                case -1:
                        return -1;
                }
        }
        lines_feed(&qmp->lines, block, (size_t)got);
        return 1;
}

/* Takes the next line there is, without waiting. 1 = `message` says what it was, 0 = there is none. */
static int next_message(struct qmp *qmp, deadline limit, struct qmp_message *message, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        int got = lines_next(&qmp->lines, &line, err);

        if (got <= 0)
                return got;
        if (qmp_protocol_line(&qmp->protocol, line.buf, line.len, &answer, message, err) < 0 ||
            socket_send(qmp->fd, answer.buf, answer.len, limit, err) < 0)
                return -1;
        if (message->type == QMP_EVENT)
                keep_event(qmp, message);
        return 1;
}

static bool is_done(const struct qmp *qmp, const struct qmp_message *message)
{
        return message->type == QMP_RETURN || message->type == QMP_REFUSAL ||
               (qmp->protocol.state == QMP_READY && qmp->protocol.pending == 0);
}

/* Waits until the pending reply is there, or until the negotiation is over. A QEMU that sends events without end gains no time
 * by that. */
static int await(struct qmp *qmp, const char *what, deadline limit, struct qmp_message *message, struct error **err)
{
        for (;;) {
                int got = next_message(qmp, limit, message, err);

                if (got < 0)
                        return -1;
                if (got > 0 && is_done(qmp, message))
                        return 0;
                if (got == 0)
                        got = receive(qmp, limit, err);
                else if (deadline_passed(limit))
                        got = 0;
                if (got < 0)
                        return -1;
                if (got == 0) {
                        error_set(err, ERROR_ENGINE, "QEMU did not answer '%s' in time", what);
                        return error_passes(err, "QEMU answers sooner when this computer has less to do");
                }
        }
}

int qmp_connect(const char *path, deadline limit, struct qmp **out, struct error **err)
{
        _cleanup_(qmp_freep) struct qmp *qmp = xcalloc(1, sizeof(*qmp));
        _cleanup_(qmp_message_clear) struct qmp_message message = QMP_MESSAGE_INIT;

        *qmp = (struct qmp){
                .fd = -1, .protocol = QMP_PROTOCOL_INIT, .lines = LINES_INIT(QMP_LINE_LIMIT), .events = STRV_INIT
        };
        if (socket_connect(path, limit, &qmp->fd, err) < 0 || await(qmp, "qmp_capabilities", limit, &message, err) < 0)
                return -1;
        *out = TAKE_PTR(qmp);
        return 0;
}

static int finish_call(struct qmp *qmp, const char *command, deadline limit, json_t **reply, struct error **err)
{
        _cleanup_(qmp_message_clear) struct qmp_message message = QMP_MESSAGE_INIT;

        if (await(qmp, command, limit, &message, err) < 0)
                return -1;
        if (message.type == QMP_REFUSAL)
                return error_set(err, ERROR_ENGINE, "QEMU refuses '%s': %s", command, message.text);
        if (reply)
                *reply = TAKE_PTR(message.data);
        return 0;
}

int qmp_call(struct qmp *qmp, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        if (qmp_protocol_command(&qmp->protocol, command, arguments, &line, err) < 0 ||
            socket_send(qmp->fd, line.buf, line.len, limit, err) < 0)
                return -1;
        return finish_call(qmp, command, limit, reply, err);
}

int qmp_give(struct qmp *qmp, const char *command, json_t *arguments, int fd, deadline limit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        if (qmp_protocol_command(&qmp->protocol, command, arguments, &line, err) < 0 ||
            socket_send_fd(qmp->fd, line.buf, 1, fd, limit, err) < 0 ||
            socket_send(qmp->fd, line.buf + 1, line.len - 1, limit, err) < 0)
                return -1;
        return finish_call(qmp, command, limit, NULL, err);
}

int qmp_next_event(struct qmp *qmp, deadline limit, char **name, struct error **err)
{
        while (qmp->events.count == 0) {
                _cleanup_(qmp_message_clear) struct qmp_message message = QMP_MESSAGE_INIT;
                int got = next_message(qmp, limit, &message, err);

                if (got == 0) {
                        got = receive(qmp, limit, err);
                        if (got == 0)
                                return 0;
                }
                if (got < 0)
                        return -1;
        }
        *name = xstrdup(qmp->events.items[0]);
        drop_oldest_event(qmp);
        return 1;
}
