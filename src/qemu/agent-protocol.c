#include "qemu/agent-protocol.h"

#include "lib/text.h"

#define MARK '\xff'

void agent_protocol_clear(struct agent_protocol *protocol)
{
        strbuf_clear(&protocol->data);
        *protocol = (struct agent_protocol)AGENT_PROTOCOL_INIT;
}

static void add_command(const char *command, json_t *arguments, struct strbuf *out)
{
        _cleanup_(json_decrefp) json_t *line = json_object();
        _cleanup_(freep) char *text = NULL;

        json_object_set_new(line, "execute", json_string(command));
        if (arguments)
                json_object_set(line, "arguments", arguments);
        text = json_text(line);
        strbuf_adds(out, text);
        strbuf_addc(out, '\n');
}

void agent_protocol_sync(struct agent_protocol *protocol, int64_t id, struct strbuf *out)
{
        _cleanup_(json_decrefp) json_t *arguments = json_object();

        json_object_set_new(arguments, "id", json_integer(id));
        protocol->state = AGENT_SYNCING;
        protocol->sync_id = id;
        protocol->marked = false;
        protocol->skipped = 0;
        strbuf_reset(&protocol->data);
        strbuf_addc(out, MARK);
        add_command("guest-sync-delimited", arguments, out);
}

int agent_protocol_command(struct agent_protocol *protocol, const char *command, json_t *arguments, struct strbuf *out,
                           struct error **err)
{
        if (protocol->state != AGENT_READY)
                return error_set(err, ERROR_ENGINE, "cannot send '%s': the guest agent is not in step", command);
        add_command(command, arguments, out);
        return 0;
}

static int too_much(struct agent_protocol *protocol, size_t limit, struct error **err)
{
        protocol->state = AGENT_CLOSED;
        strbuf_clear(&protocol->data);
        return error_set(err, ERROR_ENGINE, "the guest agent sent more than %zu bytes without an answer", limit);
}

/* Keeps only what follows the last mark: the answer can't be before it any more. */
static void skip(struct agent_protocol *protocol)
{
        const char *mark = memrchr(protocol->data.buf, MARK, protocol->data.len);

        if (mark) {
                protocol->marked = true;
                strbuf_consume(&protocol->data, (size_t)(mark - protocol->data.buf) + 1);
        } else if (!protocol->marked) {
                strbuf_reset(&protocol->data);
        }
}

int agent_protocol_feed(struct agent_protocol *protocol, const char *data, size_t length, struct error **err)
{
        if (protocol->state == AGENT_CLOSED)
                return error_set(err, ERROR_ENGINE, "the connection to the guest agent is closed");
        if (protocol->state == AGENT_UNSYNCED)
                return 0;
        if (protocol->state == AGENT_SYNCING) {
                if (length > AGENT_SKIP_LIMIT - protocol->skipped)
                        return too_much(protocol, AGENT_SKIP_LIMIT, err);
                protocol->skipped += length;
        }
        if (length > AGENT_REPLY_LIMIT - protocol->data.len)
                return too_much(protocol, AGENT_REPLY_LIMIT, err);
        strbuf_add(&protocol->data, data, length);
        if (protocol->state == AGENT_SYNCING)
                skip(protocol);
        return 0;
}

static bool answers_sync(const struct agent_protocol *protocol, const char *line, size_t length)
{
        _cleanup_(json_decrefp) json_t *object = json_parse(line, length, "the guest agent's answer", NULL);
        const json_t *id = json_object_get(object, "return");

        return json_is_integer(id) && json_integer_value(id) == protocol->sync_id;
}

static int out_of_place(struct agent_protocol *protocol)
{
        protocol->state = AGENT_UNSYNCED;
        strbuf_reset(&protocol->data);
        return -1;
}

static int take_reply(struct agent_protocol *protocol, const char *line, size_t length, json_t **reply, struct error **err)
{
        _cleanup_(json_decrefp) json_t *object = json_parse(line, length, "the guest agent's answer", err);
        json_t *value = json_object_get(object, "return");
        const json_t *error = json_object_get(object, "error");

        if (!object)
                return out_of_place(protocol);
        if (value) {
                *reply = json_incref(value);
                return 1;
        }
        if (json_is_object(error)) {
                const char *text = json_string_value(json_object_get(error, "desc"));
                _cleanup_(freep) char *visible = text_visible_dup(text ? text : "no reason given");

                return error_set(err, ERROR_ENGINE, "the guest agent refuses: %.500s", visible);
        }
        error_set(err, ERROR_ENGINE, "the guest agent sent something that is not an answer");
        return out_of_place(protocol);
}

int agent_protocol_next(struct agent_protocol *protocol, json_t **reply, struct error **err)
{
        _cleanup_(freep) char *line = NULL;
        const char *end;
        size_t length;

        if (protocol->state != AGENT_SYNCING && protocol->state != AGENT_READY)
                return 0;
        if (protocol->state == AGENT_SYNCING && !protocol->marked)
                return 0;
        end = memchr(protocol->data.buf, '\n', protocol->data.len);
        if (!end)
                return 0;
        length = (size_t)(end - protocol->data.buf);
        line = xstrndup(protocol->data.buf, length);
        strbuf_consume(&protocol->data, length + 1);
        if (protocol->state == AGENT_READY)
                return take_reply(protocol, line, length, reply, err);
        protocol->marked = false;
        if (answers_sync(protocol, line, length))
                protocol->state = AGENT_READY;
        /* What follows the answer would be taken for a reply to the first command. */
        strbuf_reset(&protocol->data);
        return 0;
}
