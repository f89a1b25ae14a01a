/*
 * The guest's sshd, on a port of 127.0.0.1 that Lima chose for this run of the VM. Anybody on this computer can listen on such
 * a port, so nothing that answers there is believed before it has shown the VM's host key.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/strbuf.h"
#include "vm/vm.h"

/* A connected descriptor, nothing read from it yet. */
int guest_connect(uint16_t port, deadline limit, int *fd, struct error **err);
/*
 * Logs in once, by our key and with the host key pinned, and compares the guest's machine-id with the record's: proof that the
 * guest is up and has taken its identity on. Tries until `limit`, or until the process that runs the guest has ended:
 * `process_fd` is os_process_fd()'s of it.
 */
int guest_await(const struct vm *vm, uint16_t port, int process_fd, deadline limit, struct error **err);
/* A shell script as root, in a guest that was awaited. Exit status other than 0: an error with what it said last. */
int guest_run(const struct vm *vm, uint16_t port, const struct strbuf *script, int timeout_ms, struct error **err);
/*
 * Has a guest shut down by itself when this process ends, in whatever way, before guest_guard_end(): for one that is nobody's,
 * and that nobody would look for. It waits for a connection of its own to end.
 */
struct guest_guard {
        pid_t ssh;
        int fd; /* -1 = none */
};

#define GUEST_GUARD_INIT                                                                                                       \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }
int guest_guard_begin(const struct vm *vm, uint16_t port, struct guest_guard *guard, struct error **err);
void guest_guard_end(struct guest_guard *guard);
/* Does 127.0.0.1 answer on all the record's ports? Lima tells of a port that it could not forward in its log alone. */
int guest_check_ports(const struct vm *vm, struct error **err);
