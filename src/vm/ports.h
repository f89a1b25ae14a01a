/*
 * Who holds a TCP port of 127.0.0.1: ports-linux.c and ports-darwin.c. Source for Linux: proc(5), /proc/net/tcp and tcp6 (a
 * row's inode is the name of the socket among a process's descriptors).
 */
#pragma once

#include "lib/error.h"
#include "vm/record.h"

/* Linux: the inode of a socket that listens on `port` in the text of one of the two files; 0 = none. One bound to other
 * addresses only isn't in the way. */
uint64_t ports_parse_listener(const char *text, uint16_t port);
/* "'node' (pid 123)", "another user's process"; "another process" on macOS; NULL when nobody holds it. Owned by the caller. */
char *ports_holder(uint16_t port);
/* One that nobody listens on now. ERROR_FAILED when there is none. */
int ports_choose(uint16_t *port, struct error **err);
/* ERROR_ENGINE naming the first of the VM's ports that is held by somebody. */
int ports_check(const struct vm_record *record, struct error **err);
