/*
 * Asks what root in the guest sees and reaches (guest/session/audit.sh), and what a session's ssh agent does for it
 * (guest/session/audit-agent.sh). Their reports are the guest's word: they are parsed with limits, and when something can be
 * seen from outside as well, the outside decides.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"
#include "vm/vm.h"

/* In the order of how far the attempt went. */
enum probe_result { PROBE_UNREACHABLE, PROBE_REFUSED, PROBE_SILENT, PROBE_CONNECTED };
const char *probe_result_name(enum probe_result result); /* "refused" */

struct probe_connect {
        char *address;
        uint16_t port;
        enum probe_result result;
};

struct probe_mount {
        char *type, *source, *point;
};

struct probe_agent {
        char *path;
        int64_t keys;
};

/* What came of asking an agent to sign what it must not sign. */
enum probe_signature { PROBE_NOT_ASKED, PROBE_NOT_SIGNED, PROBE_SIGNED };

struct probe {
        struct strv gateways, neighbours;
        struct probe_mount *mounts;
        size_t mount_count;
        struct probe_connect *connects;
        size_t connect_count;
        struct probe_agent *agents;
        size_t agent_count;
        struct strv lent; /* fingerprints of the keys that the session's agent shows */
        enum probe_signature hidden, stranger;
};

#define PROBE_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* Asks in a session without the agent. `targets`: addresses (or "gateway") and ports in turn. */
int probe_run(const struct vm *vm, const struct strv *targets, struct probe *out, struct error **err);
/* Asks in a session that lends the agent. `hidden` is a public key in base64 that it must not sign with (NULL = none);
 * `stranger`: ask for a log-in to a host that nothing has proven. */
int probe_lent(const struct vm *vm, const char *hidden, bool stranger, struct probe *out, struct error **err);
/* Fails unless the report is complete and well-formed. */
int probe_parse(const char *report, size_t length, struct probe *out, struct error **err);
void probe_clear(struct probe *probe);
