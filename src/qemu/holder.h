/*
 * Who holds a lock file: the process with a descriptor that owns an exclusive flock(2) on it, found in /proc. The kernel
 * tells this of any process of ours, whether that one still answers or not. Source: proc(5), /proc/PID/fdinfo, "lock:".
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* 1 = `pid` holds it, 0 = nobody that can be seen, and not we ourselves; -1 when that could not be found out. */
int holder_find(const char *lock, pid_t *pid, struct error **err);

/* Does the text of a descriptor's fdinfo tell of an exclusive flock? */
bool holder_parse(const char *fdinfo);
