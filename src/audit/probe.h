/*
 * What root in the guest sees and reaches: guest/session/audit.sh, and its report, which is the guest's word: parsed with
 * limits, and where something can be seen from outside as well, the outside decides.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"
#include "vm/vm.h"

/* In the order of how far it went. */
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

struct probe {
        struct strv gateways, neighbours;
        struct probe_mount *mounts;
        size_t mount_count;
        struct probe_connect *connects;
        size_t connect_count;
        struct probe_agent *agents;
        size_t agent_count;
};

#define PROBE_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* `targets`: addresses (or "gateway") and ports in turn. A session without the agent. */
int probe_run(const struct vm *vm, const struct strv *targets, struct probe *out, struct error **err);
/* Anything but a whole and well-formed report is an error. */
int probe_parse(const char *report, size_t length, struct probe *out, struct error **err);
void probe_clear(struct probe *probe);
