/*
 * Which ports of 127.0.0.1 are a VM's, and who holds one: ports.c, ports-linux.c and ports-darwin.c. Source for Linux: proc(5),
 * /proc/net/tcp and tcp6 (a row's inode is the name of the socket among a process's descriptors).
 */
#pragma once

#include "lib/error.h"
#include "vm/record.h"

/* Linux: the inode of a socket that listens on `port`, from the text of one of the two files; 0 = none. A socket that is bound
 * to other addresses only doesn't count. */
uint64_t ports_parse_listener(const char *text, uint16_t port);
/* "'node' (pid 123)", "another user's process"; "another process" on macOS; NULL when nobody holds it. Owned by the caller. */
char *ports_holder(uint16_t port);
/* Chooses a port that nobody listens on now. ERROR_FAILED when there is none. */
int ports_choose(uint16_t *port, struct error **err);
/* The port of this computer that the VM's `ports` forward to its port `guest`: `host`, if that isn't 0, else the first one.
 * 0 = none. */
uint16_t ports_host(const struct vm_record *record, uint16_t guest, uint16_t host);
/* The guest's port that the VM's `ports` forward `host` to; 0 = none. */
uint16_t ports_guest(const struct vm_record *record, uint16_t host);
/* Fails with ERROR_ENGINE when somebody holds one of the VM's ports; the message names the first. */
int ports_check(const struct vm_record *record, struct error **err);
