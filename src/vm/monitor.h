/*
 * Asks a QEMU what its guest is doing, over a connection to its machine protocol (QMP). A connection serves for one question.
 * All of it is sent at once, so it costs one round trip, and several QEMUs can be asked before the first answer is awaited.
 *
 *         _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
 *         monitor_ask(&monitor, fd);                                     // fd is connected, and ours from now on
 *         …
 *         if (monitor_hear(&monitor, deadline_in(5000), &status) > 0)
 *                 monitor_judge(&status, disk, &vm_status);
 *
 * Sources: QEMU's docs/interop/qmp-spec, qapi/run-state.json (RunState), qapi/block-core.json (BlockDeviceIoStatus).
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"
#include "vm/engine.h"

struct monitor {
        int fd; /* non-blocking or not; -1 = not connected */
        struct strbuf heard;
};

#define MONITOR_INIT                                                                                                           \
        {                                                                                                                      \
                .fd = -1, .heard = STRBUF_INIT                                                                                 \
        }
void monitor_clear(struct monitor *monitor);

/* What QEMU says. All zero: it has said nothing. */
struct monitor_status {
        char *run; /* its RunState: "running", "paused", "io-error", … */
        bool full; /* a write to a disk failed because the host has no room for it */
};
void monitor_status_clear(struct monitor_status *status);
/* Takes what "query-status" or "query-block" returned, for callers that have a connection of their own (NULL = nothing). */
void monitor_status_take(struct monitor_status *status, const json_t *reply);

/* Sends the question. When that fails, monitor_hear() does. */
void monitor_ask(struct monitor *monitor, int fd);
/* Waits for the answer. What has come already is taken even after the limit. Returns 1; 0 when the limit passed; -1 when QEMU
 * closed the connection or talks nonsense. */
int monitor_hear(struct monitor *monitor, deadline limit, struct monitor_status *out);
/*
 * Lets the guest go on that is in this state, and waits for a moment whether it stops again, as it does when the disk is still
 * full. Returns as monitor_hear() does: 1 = it was told; ask what came of it.
 */
int monitor_resume(struct monitor *monitor, int fd, const char *run, deadline limit);

/* Sets state, reason and hint from what QEMU says. `disk` is the VM's disk; `name` is for the hint. */
void monitor_judge(const struct monitor_status *says, const char *name, const char *disk, struct vm_status *out);
/* The same for a QEMU that doesn't answer. `pid` 0 = it isn't known. */
void monitor_judge_silence(const char *name, pid_t pid, struct vm_status *out);
