/*
 * Finds in /proc who holds a lock file: the process with a descriptor that owns an exclusive flock(2) on it. The kernel shows
 * this for any process of ours, whether it still answers or not. Source: proc(5), /proc/PID/fdinfo, "lock:".
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* Returns 1 when `pid` holds it, 0 when no process that can be seen does, other than ourselves; -1 when that can't be found
 * out. */
int holder_find(const char *lock, pid_t *pid, struct error **err);

/* The same for a process and its children that share the lock: finds the one that started the others. */
int holder_find_first(const char *lock, pid_t *pid, struct error **err);
/* The parent of a process; 0 = unknown. */
pid_t holder_parent(pid_t pid);

/* Does the text of a descriptor's fdinfo show an exclusive flock? */
bool holder_parse(const char *fdinfo);
