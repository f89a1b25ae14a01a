/*
 * Any bytes from QEMU, in pieces of any size. A reply that wasn't asked for is never accepted, nothing is sent before the
 * greeting, and a closed connection stays closed. A byte 0x01 in the input makes us send a command.
 */
#include "../fuzz.h"

#include "qemu/lines.h"
#include "qemu/qmp-protocol.h"

struct talk {
        struct qmp_protocol protocol;
        struct lines lines;
        bool over;
};

static void check_message(const struct qmp_protocol *before, const struct qmp_protocol *after,
                          const struct qmp_message *message, const struct strbuf *sent)
{
        CHECK((sent->len > 0) == (before->state == QMP_GREETING));
        switch (message->type) {
        case QMP_RETURN:
                CHECK(before->state == QMP_READY && before->pending != 0 && after->pending == 0);
                break;
        case QMP_REFUSAL:
                CHECK(before->state == QMP_READY && before->pending != 0 && after->pending == 0);
                CHECK(message->name && message->text && strcspn(message->text, "\n\r\033") == strlen(message->text));
                break;
        case QMP_EVENT:
                CHECK(before->state == QMP_NEGOTIATING || before->state == QMP_READY);
                CHECK(message->name && after->state == before->state);
                break;
        case QMP_NOTHING:
                break;
        }
        CHECK(after->state >= before->state);
}

static void take_line(struct talk *talk, const struct strbuf *line)
{
        _cleanup_(qmp_message_clear) struct qmp_message message = QMP_MESSAGE_INIT;
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        struct qmp_protocol before = talk->protocol;

        if (qmp_protocol_line(&talk->protocol, line->buf, line->len, &sent, &message, &error) < 0) {
                CHECK(error && talk->protocol.state == QMP_CLOSED && sent.len == 0);
                return;
        }
        CHECK(!error && before.state != QMP_CLOSED);
        check_message(&before, &talk->protocol, &message, &sent);
}

static void take_piece(struct talk *talk, const char *data, size_t length)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        int got;

        lines_feed(&talk->lines, data, length);
        while ((got = lines_next(&talk->lines, &line, NULL)) > 0)
                take_line(talk, &line);
        talk->over = got < 0;
        CHECK(talk->over || talk->lines.data.len <= QMP_LINE_LIMIT);
}

static void send_command(struct talk *talk)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;

        if (qmp_protocol_command(&talk->protocol, "query-status", NULL, &sent, NULL) < 0)
                CHECK(talk->protocol.state != QMP_READY && sent.len == 0);
        else
                CHECK(talk->protocol.pending == talk->protocol.last_id && ends_with(sent.buf, "}\n"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct talk talk = { .protocol = QMP_PROTOCOL_INIT, .lines = LINES_INIT(QMP_LINE_LIMIT) };

        while (size > 0 && !talk.over) {
                const uint8_t *end = memchr(data, 1, size);
                size_t length = end ? (size_t)(end - data) : size;

                take_piece(&talk, (const char *)data, length);
                if (end)
                        send_command(&talk);
                length += end != NULL;
                data += length;
                size -= length;
        }
        lines_clear(&talk.lines);
        return 0;
}
