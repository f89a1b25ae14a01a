/*
 * How process_spawn() (process.h) starts a child, which differs between Linux and macOS (process-spawn-linux.c,
 * process-spawn-darwin.c).
 *
 * A child ends with us unless it `outlives` us. On Linux the kernel sends it SIGTERM (prctl(2), PR_SET_PDEATHSIG); the child
 * asks for that before it becomes the program, and then looks whether we are still there. The kernel takes the thread that
 * started the child for its parent, so threads that may end before us start none. What the child forks, such as ssh's shared
 * connection in the background, is not told. On macOS a small process of ours watches both of them by kqueue(2) and sends the
 * signal.
 *
 * SIGTERM and not SIGKILL, because git, mmdebstrap and machine-keys clean up after themselves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SPAWN_NULL (-1) /* /dev/null */
#define SPAWN_SAME (-2) /* ours with the same number */

/* A descriptor that the child has as `to`: a copy of `from`, which must be above spawn.highest + 1. */
struct spawn_fd {
        int from, to;
};

struct spawn {
        const char *program; /* a path */
        char *const *argv, *const *environment;
        const char *folder;         /* NULL = ours */
        const struct spawn_fd *fds; /* the child has no others */
        size_t count;
        int highest; /* the highest `to` */
        bool new_session, new_group, outlives;
};

/* Starts the child with default signals, none of them blocked. Returns 0, or an error number also when the program can't be
 * run. */
int spawn(const struct spawn *spawn, pid_t *pid);

/*
 * Forks, with all signals blocked in the child, and has `become` turn the child into the program. It writes an error number to
 * `trouble` when it can't, does only what is allowed after a fork(2) (signal-safety(7)), and doesn't return. For spawn().
 */
typedef void (*spawn_become_fn)(const struct spawn *spawn, const void *data, pid_t parent, int trouble);
int spawn_fork(const struct spawn *spawn, spawn_become_fn become, const void *data, pid_t *pid);
/* Closes every descriptor but `kept`, and has /dev/null as stdin, stdout and stderr. For a forked child. */
void spawn_close_all_but(int kept);
