/*
 * Who holds a TCP port of 127.0.0.1: ports-linux.c and ports-darwin.c. Source for Linux: proc(5), /proc/net/tcp and tcp6 (a
 * row's inode is the name of the socket among a process's descriptors).
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
/* Fails with ERROR_ENGINE when somebody holds one of the VM's ports; the message names the first. */
int ports_check(const struct vm_record *record, struct error **err);
