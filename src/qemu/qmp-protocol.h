/*
 * QEMU's machine protocol without the socket: lines in, lines out, one state. What can arrive in each state:
 *
 *         QMP_GREETING     {"QMP": …}: the answer is qmp_capabilities
 *         QMP_NEGOTIATING  the reply to that; events may come before it
 *         QMP_READY        events, and the reply to the one command that is pending
 *         QMP_CLOSED       nothing: something came that does not belong here
 *
 * Source: QEMU's docs/interop/qmp-spec. Unknown events are handed out like any other. Replies that nobody waits for any more
 * are dropped.
 */
#pragma once

#include "lib/json.h"

#define QMP_LINE_LIMIT (64 << 10)

enum qmp_state { QMP_GREETING, QMP_NEGOTIATING, QMP_READY, QMP_CLOSED };

enum qmp_message_type {
        QMP_NOTHING, /* nothing for the caller */
        QMP_EVENT,   /* name, data (may be NULL) */
        QMP_RETURN,  /* data */
        QMP_REFUSAL, /* name (the error's class), text */
};

struct qmp_message {
        enum qmp_message_type type;
        char *name;
        char *text; /* control characters made visible */
        json_t *data;
};

#define QMP_MESSAGE_INIT                                                                                                       \
        {                                                                                                                      \
                .type = QMP_NOTHING                                                                                            \
        }
void qmp_message_clear(struct qmp_message *message);

struct qmp_protocol {
        enum qmp_state state;
        int64_t last_id;
        int64_t pending; /* id of the command whose reply is awaited; 0 = none */
};

#define QMP_PROTOCOL_INIT                                                                                                      \
        {                                                                                                                      \
                .state = QMP_GREETING                                                                                          \
        }

/* Appends the line for `command` to `out`; its reply is pending from now on. `arguments` is borrowed, NULL = none. Needs
 * QMP_READY. */
int qmp_protocol_command(struct qmp_protocol *protocol, const char *command, json_t *arguments, struct strbuf *out,
                         struct error **err);
/* Takes one line. Appends what must be sent at once to `send`; `message` says what the line was. When it fails, the state is
 * QMP_CLOSED and the error has the reason. */
int qmp_protocol_line(struct qmp_protocol *protocol, const char *line, size_t length, struct strbuf *send,
                      struct qmp_message *message, struct error **err);
