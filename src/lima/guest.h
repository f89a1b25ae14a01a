/*
 * The guest's sshd, on a port of 127.0.0.1 that Lima chose for this run of the VM. Anybody on this computer can listen on such
 * a port, so nothing that answers there is believed before it has shown the VM's host key.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/strbuf.h"
#include "vm/progress.h"
#include "vm/vm.h"

/* A connected descriptor, nothing read from it yet. */
int guest_connect(uint16_t port, deadline limit, int *fd, struct error **err);
/*
 * Logs in once, with our key and the host key pinned, and compares the guest's machine-id with the record's. That proves that
 * the guest is up and has taken on its identity. Tries as long as the process that runs the guest, `driver`, makes progress.
 */
int guest_await(const struct vm *vm, uint16_t port, pid_t driver, struct progress *progress, struct error **err);
/* Runs a shell script as root in a guest that was awaited. An exit status other than 0 is an error with the script's last
 * output. */
int guest_run(const struct vm *vm, uint16_t port, const struct strbuf *script, int timeout_ms, struct error **err);
/*
 * Makes a guest shut down by itself when this process ends, in whatever way, before guest_guard_end(). It is for a guest that
 * belongs to nobody and that nobody would look for. The guest waits for a connection made for this to end.
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
/* Fails when 127.0.0.1 doesn't answer on one of the record's ports. Lima reports a port that it could not forward only in its
 * log. */
int guest_check_ports(const struct vm *vm, struct error **err);
