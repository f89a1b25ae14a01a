/*
 * What a running VM needs on this computer beside its QEMU, and what is done when part of it is gone: a process that was
 * killed, or a file that was removed, with the whole runtime folder maybe. The processes and files are asked each time.
 *
 *         lost                              what start() does
 *         machine-net, or its socket        starts another, on QEMU's listening socket: the guest goes on, without its
 * connections that, and QEMU's socket for it    stops the VM and starts it again machine-log                       starts
 * another QMP's socket, the agent's pipes   nothing: the guest does without, and the next boot makes them anew
 */
#pragma once

#include "qemu/runtime.h"

struct lost {
        bool network; /* nobody is at the other end of the guest's wire, or nobody can reach it */
        bool wire;    /* QEMU can't be connected to another one */
        bool log;
        bool control; /* QMP's socket or a pipe to the guest's agent */
};

/* The VM is alive. Fails when something can't be found out. */
int mend_look(const struct runtime *runtime, struct lost *out, struct error **err);
/* Puts it right as far as that goes while the guest runs. Returns 1 when the VM has to be stopped and started, else 0. Warnings
 * say what was lost. */
int mend(const struct vm *vm, const struct runtime *runtime, struct event_sink *events, struct error **err);

/* engine.lost */
int engine_lost(const struct vm *vm, struct engine_lost *out, struct error **err);
