/*
 * The guest agent's protocol without the socket. The other end is the guest, and nothing it sends is believed before it
 * has answered our own number:
 *
 *         AGENT_UNSYNCED   nothing asked yet, or an answer was out of place
 *         AGENT_SYNCING    guest-sync-delimited was sent: all is skipped up to a 0xff byte followed by that number
 *         AGENT_READY      each line is the reply to the command sent last
 *         AGENT_CLOSED     it sent more than it may
 *
 * Source: QEMU's docs/interop/qemu-ga-ref, "guest-sync-delimited". The 0xff sent first resets the agent's own parser.
 */
#pragma once

#include "lib/json.h"

#define AGENT_REPLY_LIMIT (1 << 20) /* one reply */
#define AGENT_SKIP_LIMIT  (4 << 20) /* what may be skipped while syncing */

enum agent_state { AGENT_UNSYNCED, AGENT_SYNCING, AGENT_READY, AGENT_CLOSED };

struct agent_protocol {
        enum agent_state state;
        int64_t sync_id;
        bool marked; /* a 0xff was seen: `data` begins after it */
        size_t skipped;
        struct strbuf data;
};

#define AGENT_PROTOCOL_INIT                                                                                                    \
        {                                                                                                                      \
                .data = STRBUF_INIT                                                                                            \
        }
void agent_protocol_clear(struct agent_protocol *protocol);

/* Appends what starts a sync with the number `id` (which should be hard to guess) to `out`. */
void agent_protocol_sync(struct agent_protocol *protocol, int64_t id, struct strbuf *out);
/* Appends the line for `command`. `arguments` is borrowed, NULL = none. Needs AGENT_READY. */
int agent_protocol_command(struct agent_protocol *protocol, const char *command, json_t *arguments, struct strbuf *out,
                           struct error **err);
/* Takes bytes. Fails when they are more than the limits: the state is then AGENT_CLOSED. */
int agent_protocol_feed(struct agent_protocol *protocol, const char *data, size_t length, struct error **err);
/*
 * Takes the next whole line. Returns 1 for a reply in AGENT_READY: `reply` is what "return" held, owned by the caller. Returns
 * -1 for an "error" of the agent, or for a line that is not a reply (the state is then AGENT_UNSYNCED). Returns 0 when there is
 * no whole line yet, or for a line in AGENT_SYNCING (the state is AGENT_READY if it answers the sync).
 */
int agent_protocol_next(struct agent_protocol *protocol, json_t **reply, struct error **err);
