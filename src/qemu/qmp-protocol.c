#include "qemu/qmp-protocol.h"

#include "lib/text.h"

void qmp_message_clear(struct qmp_message *message)
{
        if (!message)
                return;
        free(message->name);
        free(message->text);
        json_decref(message->data);
        *message = (struct qmp_message)QMP_MESSAGE_INIT;
}

static void add_command(struct qmp_protocol *protocol, const char *command, json_t *arguments, struct strbuf *out)
{
        _cleanup_(json_decrefp) json_t *line = json_object();
        _cleanup_(freep) char *text = NULL;

        protocol->pending = ++protocol->last_id;
        json_object_set_new(line, "execute", json_string(command));
        if (arguments)
                json_object_set(line, "arguments", arguments);
        json_object_set_new(line, "id", json_integer(protocol->pending));
        text = json_text(line);
        strbuf_adds(out, text);
        strbuf_addc(out, '\n');
}

int qmp_protocol_command(struct qmp_protocol *protocol, const char *command, json_t *arguments, struct strbuf *out,
                         struct error **err)
{
        if (protocol->state != QMP_READY)
                return error_set(err, ERROR_ENGINE, "cannot send '%s': the connection to QEMU is not ready", command);
        add_command(protocol, command, arguments, out);
        return 0;
}

static int out_of_place(struct qmp_protocol *protocol, const char *what, struct error **err)
{
        protocol->state = QMP_CLOSED;
        return error_set(err, ERROR_ENGINE, "QEMU sent %s", what);
}

static int take_event(const json_t *object, struct qmp_message *message)
{
        message->type = QMP_EVENT;
        message->name = xstrdup(json_string_value(json_object_get(object, "event")));
        message->data = json_incref(json_object_get(object, "data"));
        return 0;
}

/* A reply without an id answers a line that QEMU could not read: that can only have been the pending one. */
static bool is_awaited(const struct qmp_protocol *protocol, const json_t *object)
{
        const json_t *id = json_object_get(object, "id");

        return protocol->pending != 0 && (!id || (json_is_integer(id) && json_integer_value(id) == protocol->pending));
}

static int take_reply(struct qmp_protocol *protocol, const json_t *object, struct qmp_message *message, struct error **err)
{
        json_t *error = json_object_get(object, "error");
        const char *class = json_string_value(json_object_get(error, "class"));
        const char *text = json_string_value(json_object_get(error, "desc"));

        if (!is_awaited(protocol, object))
                return 0;
        protocol->pending = 0;
        if (!error) {
                if (protocol->state == QMP_NEGOTIATING)
                        protocol->state = QMP_READY;
                else
                        message->type = QMP_RETURN;
                message->data = json_incref(json_object_get(object, "return"));
                return 0;
        }
        if (protocol->state == QMP_NEGOTIATING)
                return out_of_place(protocol, "a refusal to talk", err);
        message->type = QMP_REFUSAL;
        message->name = xstrdup(class ? class : "GenericError");
        message->text = text_visible_dup(text ? text : "no reason given");
        return 0;
}

int qmp_protocol_line(struct qmp_protocol *protocol, const char *line, size_t length, struct strbuf *send,
                      struct qmp_message *message, struct error **err)
{
        _cleanup_(json_decrefp) json_t *object = NULL;

        if (protocol->state == QMP_CLOSED)
                return error_set(err, ERROR_ENGINE, "the connection to QEMU is closed");
        object = json_parse(line, length, "QEMU's message", err);
        if (!object) {
                protocol->state = QMP_CLOSED;
                return -1;
        }
        qmp_message_clear(message);
        if (protocol->state == QMP_GREETING) {
                if (!json_is_object(json_object_get(object, "QMP")))
                        return out_of_place(protocol, "no greeting", err);
                protocol->state = QMP_NEGOTIATING;
                add_command(protocol, "qmp_capabilities", NULL, send);
                return 0;
        }
        if (json_is_string(json_object_get(object, "event")))
                return take_event(object, message);
        if (json_object_get(object, "return") || json_is_object(json_object_get(object, "error")))
                return take_reply(protocol, object, message, err);
        return out_of_place(protocol, "something that is neither an event nor a reply", err);
}
