/*
 * The few calls that differ between Linux and macOS, in os-linux.c and os-darwin.c. No other file that both systems need uses
 * what only one of them has (src/qemu and src/net are for Linux only).
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"

#ifdef __APPLE__
extern char **environ; /* which <unistd.h> declares on Linux only */
#endif

/*
 * A descriptor that polls readable (POLLIN) when the process has ended, and from then on: pidfd_open(2); kqueue(2) on the Mac.
 * On the Mac it may take a moment more until waitpid(2) returns an ended child. -1 with errno, ESRCH when there is no such
 * process.
 */
int os_process_fd(pid_t pid);
/* The process at the other end of a connected unix socket: SO_PEERCRED; LOCAL_PEERPID. -1 with errno. */
int os_peer_pid(int socket, pid_t *pid, uid_t *uid);
/*
 * Signals a process by the descriptor of os_process_fd(), so that a reused pid is never hit. The Mac signals by pid only, so
 * there this holds for our children; of other processes it is only known that they lived an instant before. -1 with errno,
 * ESRCH when the process has ended.
 */
int os_process_signal(int process_fd, int signal);
/*
 * Is `text` part of one of the arguments that the process was started with? 1 or 0; -1 with errno. A process that is gone has
 * no arguments.
 */
int os_process_mentions(pid_t pid, const char *text);
/*
 * The bytes of memory that the process shares with no other. Pages of files (programs, a template's memory) are shared. 0 =
 * unknown.
 */
int64_t os_process_memory(pid_t pid);
/* What a process has done since it was started. */
struct os_process_work {
        int64_t busy_ms;    /* its threads ran for so long, or waited for a processor that others used (Linux) */
        int64_t disk_bytes; /* read from disks and written to them; 0 = unknown */
        bool stopped;       /* by a signal (SIGSTOP), or by a debugger */
};
/* -1 with errno when there is no such process. */
int os_process_work(pid_t pid, struct os_process_work *out);
/*
 * The path of the running program. Owned by the caller; NULL with an error. On the Mac it is the name that the program was
 * started by, so that a path that was written down (in ssh's configuration) stays valid when Homebrew points the symlink to
 * another version.
 */
char *os_program_path(struct error **err);
/* A pipe with both ends O_CLOEXEC: pipe2(2); pipe(2) and fcntl(2) on the Mac. -1 with errno. */
int os_pipe(int ends[2]);
/* The same with both ends O_NONBLOCK, as a signal's function writes to it. */
int os_pipe_nonblocking(int ends[2]);
/* A socket that is O_CLOEXEC: SOCK_CLOEXEC; socket(2) and fcntl(2) on the Mac. -1 with errno. */
int os_socket(int domain, int type);
/* Two connected stream sockets of AF_UNIX that are O_CLOEXEC. -1 with errno. */
int os_socket_pair(int ends[2]);
/*
 * Flushes what was written to a descriptor to the disk, and out of the disk's own memory too: fsync(2); F_FULLFSYNC on the Mac,
 * where fsync(2) leaves it in the disk's memory. -1 with errno.
 */
int os_sync(int fd);
/*
 * Copies a file's content to a new file, 0600. Shares blocks where the file system can, and keeps holes: lseek(2) with
 * SEEK_DATA and copy_file_range(2); clonefile(2), copyfile(3) on the Mac. -1 with errno; part of the copy may then be there.
 */
int os_copy_file(const char *from, const char *to);
/* The version of the kernel's Landlock (landlock(7)); 0 where it has none, and on the Mac. */
int os_landlock(void);
/*
 * From here on no core dump of this process is written, or piped to a program. On Linux a limit of 1 byte prevents both; a
 * limit of 0 only prevents files (core(5), and fs/coredump.c in the kernel). -1 with errno.
 */
int os_forbid_core(void);
