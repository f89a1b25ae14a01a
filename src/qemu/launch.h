/*
 * Starts a VM's QEMU and its network process, and owns them until they are handed over to the VM.
 *
 *         _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(vm, &runtime);
 *
 *         if (launch_prepare(&launch, layer, events, err) < 0 || launch_start(&launch, &memory, err) < 0 || …)
 *                 return -1;              // what was started is ended again
 *         launch_keep(&launch);           // it lives on when we end
 */
#pragma once

#include <sys/types.h>

#include "host/acceleration.h"
#include "image/layer.h"
#include "qemu/runtime.h"
#include "qemu/toolkit.h"

/* Where the guest's memory and devices come from, or go to. All zero: the guest has memory of its own and boots. */
struct launch_memory {
        const char *file; /* NULL = anonymous memory */
        bool shared;      /* what the guest writes goes into the file */
        bool load;        /* the devices are loaded too (migration.h); otherwise the guest boots */
        bool bare;        /* they were saved alone (moment.h) */
        bool port;        /* the guest has the port for its identity, as with a file */
};

struct launch {
        const struct vm *vm;
        const struct runtime *runtime;
        bool ends_with_us; /* it also ends when `machine` is killed */
        bool halted;       /* the guest doesn't run until QEMU is told to go on */
        bool goes_on;      /* the guest was saved, and its machine-net waits for it if it still lives (park.h) */

        struct toolkit toolkit;
        struct acceleration acceleration;
        const struct layer *layer; /* borrowed */
        struct lock lock;          /* taken by launch_prepare(), and QEMU's from launch_start() on */
        pid_t qemu;                /* or the bubblewrap around it; it has a process group of its own. 0 = none */
        pid_t net;
        bool keeps_net; /* a machine-net waits, and gets `wire` */
        int wire;       /* to QEMU, for the machine-net that waits; -1 = none does */
        pid_t log;      /* machine-log, which ends when QEMU does */
};

#define LAUNCH_INIT(of, at)                                                                                                    \
        {                                                                                                                      \
                .vm = (of), .runtime = (at), .wire = -1, .lock = LOCK_INIT                                                     \
        }

/* Fails (ERROR_ENGINE) when this computer has less memory than the VM needs. */
int launch_check_memory(const struct vm_record *record, struct error **err);
/* Finds the programs, takes the VM's run.lock and makes its folders. Notes say what makes it slow or weak. `layer`: what its
 * disk stands on. */
int launch_prepare(struct launch *launch, const struct layer *layer, struct event_sink *events, struct error **err);
int launch_start(struct launch *launch, const struct launch_memory *memory, struct error **err);
/* Connects to the QMP socket of what was started. */
int launch_qmp(const struct launch *launch, struct qmp **out, struct error **err);
/* Adds to the error how QEMU ended, and what it and the guest said last. */
void launch_explain(const struct launch *launch, struct error **err);
void launch_keep(struct launch *launch);
/* Ends what was started and not kept. */
void launch_clear(struct launch *launch);
