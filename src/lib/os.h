/*
 * The few calls that differ between Linux and macOS. os-linux.c and os-darwin.c stand behind it; no other file of what both
 * need uses what only one of them has (src/qemu and src/net are for Linux alone).
 */
#pragma once

#include <spawn.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

#ifdef __APPLE__
extern char **environ; /* which <unistd.h> declares on Linux only */
#endif

/*
 * A descriptor that polls readable (POLLIN) when the process has ended, and from then on: pidfd_open(2); kqueue(2) on the Mac.
 * On the Mac an ended child may take a moment more until waitpid(2) gives it. -1 with errno, ESRCH when there is no such
 * process.
 */
int os_process_fd(pid_t pid);
/* The process at the other end of a connected unix socket: SO_PEERCRED; LOCAL_PEERPID. -1 with errno. */
int os_peer_pid(int socket, pid_t *pid, uid_t *uid);
/*
 * Signals a process by the descriptor of os_process_fd(), so that a reused pid is never hit. On the Mac, which signals by pids
 * alone, this holds for our children; of others it is known that they lived the instant before. -1 with errno, ESRCH when the
 * process has ended.
 */
int os_process_signal(int process_fd, int signal);
/* Is `text` part of one of the arguments that the process was started with? A process that is gone has none. 1, 0; -1 with
 * errno. */
int os_process_mentions(pid_t pid, const char *text);
/* What the process has in memory for itself alone: pages of files (programs, a template's memory) are shared. 0 = unknown. */
int64_t os_process_memory(pid_t pid);
/*
 * The path of the running program. Owned by the caller; NULL with an error. On the Mac it is the name it was started by, so
 * that what is written down (ssh's configuration) stays true when Homebrew puts another version behind the symlink.
 */
char *os_program_path(struct error **err);
/* A pipe of which both ends are O_CLOEXEC: pipe2(2); pipe(2) and fcntl(2) on the Mac. -1 with errno. */
int os_pipe(int ends[2]);
/* A socket that is O_CLOEXEC: SOCK_CLOEXEC; socket(2) and fcntl(2) on the Mac. -1 with errno. */
int os_socket(int domain, int type);
/*
 * Brings what was written to a descriptor onto the disk, out of the disk's own memory too: fsync(2); F_FULLFSYNC on the Mac,
 * whose fsync(2) leaves it there. -1 with errno.
 */
int os_sync(int fd);
/*
 * Copies a file's content into a new one, 0600, its blocks shared where the file system can do that, its holes kept: lseek(2)
 * with SEEK_DATA and copy_file_range(2); clonefile(2), copyfile(3) on the Mac. -1 with errno, and maybe part of it there.
 */
int os_copy_file(const char *from, const char *to);
/*
 * From here on no core dump of this process is written or piped to a program. On Linux a limit of 1 byte says so for both;
 * one of 0 is for files alone (core(5), and fs/coredump.c in the kernel). -1 with errno.
 */
int os_forbid_core(void);
/*
 * In a child about to be spawned, closes every descriptor but `kept`: those are what earlier actions put there, else ours of
 * the same number. The last of its actions. 0, or an error number as posix_spawn(3) gives it.
 */
int os_spawn_keep(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, const int *kept, size_t count);
