/*
 * The few calls that differ between Linux and macOS. os-linux.c (and, for the Mac, os-darwin.c) stand behind it; no other
 * file uses what only one of them has.
 */
#pragma once

#include <spawn.h>
#include <sys/types.h>

#include "error.h"

/* A descriptor that polls readable (POLLIN) when the process has ended: pidfd_open(2); kqueue on the Mac. -1 with errno. */
int os_process_fd(pid_t pid);
/* The process at the other end of a connected unix socket: SO_PEERCRED; LOCAL_PEERPID. -1 with errno. */
int os_peer_pid(int socket, pid_t *pid, uid_t *uid);
/* Signals a process by the descriptor of os_process_fd(), so that a reused pid is never hit. -1 with errno. */
int os_process_signal(int process_fd, int signal);
/* The path of the running program. Owned by the caller; NULL with an error. */
char *os_program_path(struct error **err);
/* A pipe of which both ends are O_CLOEXEC: pipe2(2); pipe(2) and fcntl(2) on the Mac. -1 with errno. */
int os_pipe(int ends[2]);
/*
 * In a child about to be spawned, closes every descriptor from `first` on; the last of its actions. closefrom on Linux;
 * POSIX_SPAWN_CLOEXEC_DEFAULT on the Mac. 0, or an error number as posix_spawn(3) gives it.
 */
int os_spawn_close_from(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int first);
