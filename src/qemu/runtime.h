/*
 * The files of a VM that runs, and how to tell that it does.
 *
 * QEMU inherits a descriptor of VM folder/run.lock that holds an exclusive flock(2), and nobody else keeps one. So the lock is
 * held exactly as long as QEMU lives, whoever started it and however it ends. Its pid is never written down; the kernel
 * names the process that holds the lock (holder.h).
 *
 *         VM folder/run.lock, disk.qcow2, logs/{console.log,qemu.log,net.log}
 *         VM folder/restore                            the disk is new, and its first start restores it from the template
 *                                                      (restore.h)
 *         VM folder/parked                             a guest that was saved, and is to go on from there (park.h)
 *         VM folder/net.sock                           machine-net listens there for us (lib/net-control.h)
 *         VM folder/qemu/{qmp,look,frames,resume}.sock QEMU listens there; it gets them as descriptors. qmp.sock is held for as
 *                                                      long as a start takes; look.sock is for short questions (inspect.c)
 *         VM folder/qemu/agent.{in,out}                pipes to the guest's agent (agent.h)
 *         VM folder/qemu/{console,messages}            pipes from QEMU to machine-log
 *         runtime folder/VM/ssh.sock                   machine-net's
 *         runtime folder/VM/ready                      sshd has answered since QEMU was started
 *         runtime folder/VM/silent                     the guest's agent did not answer when it was asked last (clock.h)
 *
 * The runtime folder can vanish under a running VM, when its user logs out. So only what can be made anew is in there.
 */
#pragma once

#include "lib/lock.h"
#include "qemu/qmp.h"
#include "vm/vm.h"

struct runtime {
        const char *name; /* of the VM; borrowed */
        char *lock, *disk, *restore, *parked;
        char *logs, *console_log, *qemu_log, *net_log;
        char *control, *sockets, *qmp, *look, *frames, *resume, *agent, *console_pipe, *messages_pipe;
        char *folder, *ssh, *ready, *silent;
};

#define RUNTIME_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
/* Fills in all of it. Clear `out` even after a failure. */
int runtime_find(const struct vm *vm, struct runtime *out, struct error **err);
/* The same in two parts. The second one makes the VM's runtime folder, which is not needed just to look. */
void runtime_find_files(const struct vm *vm, struct runtime *out);
int runtime_find_sockets(struct runtime *runtime, struct error **err);
void runtime_clear(struct runtime *runtime);

/* Notes that sshd has answered. */
int runtime_mark_ready(const struct runtime *runtime, struct error **err);
/* Is its QEMU alive? Returns 1, 0, or -1 when that can't be found out. */
int runtime_is_alive(const struct runtime *runtime, struct error **err);
/* Takes the lock for a QEMU that is about to be started. */
int runtime_claim(const struct runtime *runtime, struct lock *lock, struct error **err);

/*
 * Connects to the QMP socket, which is there before QEMU is. ERROR_NOT_FOUND when QEMU or the socket is gone.
 * `child` is the descriptor of a process; when that ends, so does the waiting. -1 = only the lock tells whether QEMU lives.
 */
int runtime_qmp(const struct runtime *runtime, int child, deadline limit, struct qmp **out, struct error **err);
/*
 * QEMU's own process, not that of what is around it; 0 = unknown. By its second QMP socket, and only once QEMU has answered at
 * the first: until then the kernel names the process that made the sockets, and on a connection from that time it always does
 * (SO_PEERCRED, unix(7)).
 */
pid_t runtime_qemu(const struct runtime *runtime);
/* Finds QEMU, whether it still answers or not: a descriptor that polls readable when it has ended. ERROR_NOT_FOUND when it is
 * gone. */
int runtime_process(const struct runtime *runtime, int *process_fd, struct error **err);
/* Waits until QEMU (process_fd) has ended and the lock is free. Returns 1, or 0 when the limit passed first. */
int runtime_wait_end(const struct runtime *runtime, int process_fd, deadline limit, struct error **err);
/* Kills QEMU and waits until the lock is free. Succeeds when it isn't alive. */
int runtime_kill(const struct runtime *runtime, struct error **err);
/* Waits for machine-net to end, as it does when QEMU ends, so that its ports are free. Kills it when it takes longer than
 * `grace_ms`. */
int runtime_end_net(const struct runtime *runtime, int grace_ms, struct error **err);
#define RUNTIME_NET_MS 2000 /* it ends at once, unless this computer is busy */
/* Makes the folders and pipes, and removes a former run's. Needs the lock. */
int runtime_prepare(const struct runtime *runtime, struct error **err);
