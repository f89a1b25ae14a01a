/*
 * What there is of a VM while it runs, and how to tell that it does.
 *
 * QEMU inherits a descriptor of VM folder/run.lock that holds an exclusive flock(2), and nobody else keeps one: the lock is
 * held exactly as long as QEMU lives, whoever started it and however it ends. Its pid is never written down; the kernel
 * names the process that holds the lock (holder.h).
 *
 *         VM folder/run.lock, disk.qcow2, logs/{console.log,qemu.log,net.log}
 *         VM folder/fork                            the disk is new and its first start is to be a fork (fork.h)
 *         runtime folder/VM/qemu/{qmp,agent,resume}.sock   the only folder QEMU may write to
 *         runtime folder/VM/ssh.sock                machine-net's
 *         runtime folder/VM/ready                   sshd has answered since QEMU was started
 */
#pragma once

#include "lib/lock.h"
#include "qemu/qmp.h"
#include "vm/vm.h"

struct runtime {
        const char *name; /* of the VM; borrowed */
        char *lock, *disk, *fork;
        char *logs, *console_log, *qemu_log, *net_log;
        char *folder, *sockets, *qmp, *agent, *resume, *ssh, *ready;
};

#define RUNTIME_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* All of it. `out` is to be cleared even after a failure. */
int runtime_find(const struct vm *vm, struct runtime *out, struct error **err);
/* The same in two: the second part makes the VM's runtime folder, which who only looks may do without. */
void runtime_find_files(const struct vm *vm, struct runtime *out);
int runtime_find_sockets(struct runtime *runtime, struct error **err);
void runtime_clear(struct runtime *runtime);

/* Does its QEMU live? 1, 0, or -1 when that could not be found out. */
int runtime_is_alive(const struct runtime *runtime, struct error **err);
/* Takes the lock for a QEMU to be started. */
int runtime_claim(const struct runtime *runtime, struct lock *lock, struct error **err);

/*
 * Connects to the QMP socket, waiting for it to appear while QEMU is still starting. QEMU gone: ERROR_NOT_FOUND.
 * `child` is the descriptor of a process whose end ends the waiting, -1 = the lock alone tells.
 */
int runtime_qmp(const struct runtime *runtime, int child, deadline limit, struct qmp **out, struct error **err);
/* QEMU itself, whether it still answers or not: a descriptor that polls readable when it has ended. Gone: ERROR_NOT_FOUND. */
int runtime_process(const struct runtime *runtime, int *process_fd, struct error **err);
/* Until QEMU (process_fd) has ended and the lock is free: 1; 0 when the limit passed first. */
int runtime_wait_end(const struct runtime *runtime, int process_fd, deadline limit, struct error **err);
/* Kills QEMU and waits until the lock is free. Not alive: success. */
int runtime_kill(const struct runtime *runtime, struct error **err);
/* machine-net ends when QEMU does: waits for that (so that its ports are free), and kills it when it takes too long. */
int runtime_end_net(const struct runtime *runtime, struct error **err);
/* Makes the folders, empty of a former run's sockets. Needs the lock. */
int runtime_prepare(const struct runtime *runtime, struct error **err);
