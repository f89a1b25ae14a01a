/*
 * Any bytes from a guest's agent, in pieces of any size. Nothing counts before the sync is answered, and the kept data has a
 * limit. A byte 0x01 in the input makes us send a command, a byte 0x02 starts a new sync.
 */
#include "../fuzz.h"

#include "qemu/agent-protocol.h"

#define SYNC_ID 4711

static void take_replies(struct agent_protocol *protocol)
{
        for (;;) {
                _cleanup_(json_decrefp) json_t *reply = NULL;
                _cleanup_(error_freep) struct error *error = NULL;
                enum agent_state before = protocol->state;
                size_t length = protocol->data.len;
                int got = agent_protocol_next(protocol, &reply, &error);

                CHECK((got > 0) == (reply != NULL) && (got < 0) == (error != NULL));
                CHECK(got == 0 || before == AGENT_READY);
                if (got < 0)
                        CHECK(strcspn(error->message, "\n\r\033") == strlen(error->message));
                if (protocol->data.len >= length)
                        return;
        }
}

static void take_piece(struct agent_protocol *protocol, const char *data, size_t length)
{
        if (agent_protocol_feed(protocol, data, length, NULL) < 0)
                CHECK(protocol->state == AGENT_CLOSED && protocol->data.len == 0);
        CHECK(protocol->data.len <= AGENT_REPLY_LIMIT && protocol->skipped <= AGENT_SKIP_LIMIT);
        take_replies(protocol);
}

static void send_command(struct agent_protocol *protocol)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;

        if (agent_protocol_command(protocol, "guest-ping", NULL, &sent, NULL) < 0)
                CHECK(protocol->state != AGENT_READY && sent.len == 0);
        else
                CHECK(streq(sent.buf, "{\"execute\":\"guest-ping\"}\n"));
}

static void start_sync(struct agent_protocol *protocol)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;

        if (protocol->state == AGENT_CLOSED)
                return;
        agent_protocol_sync(protocol, SYNC_ID, &sent);
        CHECK((unsigned char)sent.buf[0] == 0xff && protocol->state == AGENT_SYNCING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct agent_protocol protocol = AGENT_PROTOCOL_INIT;

        start_sync(&protocol);
        while (size > 0) {
                size_t length = 0;

                while (length < size && data[length] != 1 && data[length] != 2)
                        length++;
                take_piece(&protocol, (const char *)data, length);
                if (length < size) {
                        if (data[length] == 1)
                                send_command(&protocol);
                        else
                                start_sync(&protocol);
                        length++;
                }
                data += length;
                size -= length;
        }
        agent_protocol_clear(&protocol);
        return 0;
}
