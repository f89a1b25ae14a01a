/*
 * The guest's sshd, on a port of 127.0.0.1 that Lima chose for this run of the VM. Anybody on this computer can listen on such
 * a port, so nothing that answers there is believed before it has shown the VM's host key.
 */
#pragma once

#include "lib/deadline.h"
#include "vm/vm.h"

/* A connected descriptor, nothing read from it yet. */
int guest_connect(uint16_t port, deadline limit, int *fd, struct error **err);
/*
 * Logs in once, by our key and with the host key pinned, and compares the guest's machine-id with the record's: proof that the
 * guest is up and has taken its identity on. Tries until `limit`, or until the process that runs the guest has ended:
 * `process_fd` is os_process_fd()'s of it.
 */
int guest_await(const struct vm *vm, uint16_t port, int process_fd, deadline limit, struct error **err);
/* Does 127.0.0.1 answer on all the record's ports? Lima tells of a port that it could not forward in its log alone. */
int guest_check_ports(const struct vm *vm, struct error **err);
