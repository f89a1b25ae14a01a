/*
 *         tries free|confined NAME FOLDER VICTIM PORT
 *
 * Tries NAME, without the helper's confinement or under it, and prints "done" or the number of the error. The targets are
 * FOLDER, with the file `file`, the folder `inner` and a listener `socket`; a listener at the abstract address of that
 * socket's path; the process VICTIM; and a listener at PORT of 127.0.0.1.
 */
#include "tries.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* All paths are made before the confinement, so that a try makes only the calls in question. */
struct target {
        char *file, *fresh, *inner, *socket;
        pid_t victim;
        unsigned port;
        int pipe[2];
        int pair[2];
        void *page;
        char *memory;
};

typedef long (*try_fn)(const struct target *target);

static long open_for_reading(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->file, O_RDONLY | O_CLOEXEC);
}

static long open_for_writing(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->file, O_WRONLY | O_APPEND | O_CLOEXEC);
}

static long create_file(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static long open_temporary(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->inner, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

static long list_folder(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->inner, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long look_at_file(const struct target *target)
{
        struct stat status;

        return stat(target->file, &status);
}

static long truncate_file(const struct target *target)
{
        return truncate(target->file, 0);
}

static long remove_file(const struct target *target)
{
        return unlink(target->file);
}

static long rename_file(const struct target *target)
{
        return rename(target->file, target->fresh);
}

static long make_folder(const struct target *target)
{
        return mkdir(target->fresh, 0700);
}

static long make_link(const struct target *target)
{
        return symlink("/etc/passwd", target->fresh);
}

static long make_fifo(const struct target *target)
{
        return mknod(target->fresh, S_IFIFO | 0600, 0);
}

static long change_mode(const struct target *target)
{
        return chmod(target->file, 0777);
}

static long change_folder(const struct target *target)
{
        return chdir(target->inner);
}

static long change_root(const struct target *target)
{
        return chroot(target->inner);
}

static long open_by_path_alone(const struct target *target)
{
        return syscall(SYS_openat, AT_FDCWD, target->file, O_PATH | O_CLOEXEC);
}

static long connect_unix(const struct target *target)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, target->socket, strlen(target->socket) + 1);
        return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static long connect_abstract(const struct target *target)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t length = strlen(target->socket);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path + 1, target->socket, length);
        return fd < 0 ? -1
                      : connect(fd, (const struct sockaddr *)&address,
                                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length));
}

static long connect_tcp(const struct target *target)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)target->port),
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
}

static long listen_tcp(const struct target *target _unused_)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -1 : listen(fd, 1);
}

static long send_udp(const struct target *target)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons((uint16_t)target->port),
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        return fd < 0 ? -1 : sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address));
}

static long open_netlink(const struct target *target _unused_)
{
        return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}

static long make_socket_pair(const struct target *target _unused_)
{
        int ends[2];

        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

/* Over a socket that the process has already. */
static long pass_descriptor(const struct target *target)
{
        union {
                struct cmsghdr head;
                char room[CMSG_SPACE(sizeof(int))];
        } beside = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
        char byte = 'x';
        struct iovec part = { .iov_base = &byte, .iov_len = 1 };
        struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof(beside.room)
        };

        memcpy(CMSG_DATA(&beside.head), &target->pipe[0], sizeof(int));
        return sendmsg(target->pair[0], &message, 0);
}

static long signal_process(const struct target *target)
{
        return kill(target->victim, SIGTERM);
}

static long signal_thread(const struct target *target)
{
        return syscall(SYS_tgkill, target->victim, target->victim, SIGTERM);
}

static long signal_queued(const struct target *target)
{
        return sigqueue(target->victim, SIGTERM, (union sigval){ 0 });
}

static long signal_by_descriptor(const struct target *target)
{
        int fd = (int)syscall(SYS_pidfd_open, target->victim, 0);

        return fd < 0 ? -1 : syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
}

/* The kernel sends the signal: to the owner of a pipe, when data arrives in it. */
static long signal_by_owner(const struct target *target)
{
        if (fcntl(target->pipe[0], F_SETOWN, target->victim) < 0 || fcntl(target->pipe[0], F_SETSIG, SIGTERM) < 0 ||
            fcntl(target->pipe[0], F_SETFL, O_ASYNC | O_NONBLOCK) < 0)
                return -1;
        return write(target->pipe[1], "x", 1);
}

static long signal_by_ioctl(const struct target *target)
{
        int owner = target->victim;

        return ioctl(target->pair[0], FIOSETOWN, &owner);
}

static long set_owner(const struct target *target)
{
        return fcntl(target->pipe[0], F_SETOWN, target->victim);
}

static long set_signal(const struct target *target)
{
        return fcntl(target->pipe[0], F_SETSIG, SIGUSR1);
}

static long set_async(const struct target *target)
{
        return fcntl(target->pipe[0], F_SETFL, O_ASYNC);
}

static long set_lease(const struct target *target)
{
        return fcntl(target->pipe[0], F_SETLEASE, F_UNLCK) < 0 && errno != EINVAL && errno != EAGAIN ? -1 : 0;
}

static long set_notify(const struct target *target)
{
        return fcntl(target->pipe[0], F_NOTIFY, 0) < 0 && errno != ENOTDIR ? -1 : 0;
}

static long set_pipe_size(const struct target *target)
{
        return fcntl(target->pipe[0], F_SETPIPE_SZ, 1 << 20);
}

static long copy_descriptor(const struct target *target)
{
        return fcntl(target->pipe[0], F_DUPFD_CLOEXEC, 0);
}

static long trace(const struct target *target)
{
        return ptrace(PTRACE_SEIZE, target->victim, NULL, NULL);
}

static long read_memory(const struct target *target)
{
        char byte;
        struct iovec ours = { &byte, 1 }, theirs = { target->memory, 1 };

        return process_vm_readv(target->victim, &ours, 1, &theirs, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static long write_memory(const struct target *target)
{
        char byte = 0;
        struct iovec ours = { &byte, 1 }, theirs = { target->memory, 1 };

        return process_vm_writev(target->victim, &ours, 1, &theirs, 1, 0) < 0 && errno != EFAULT ? -1 : 0;
}

static long limit_other(const struct target *target)
{
        struct rlimit limit;

        return syscall(SYS_prlimit64, target->victim, RLIMIT_NOFILE, NULL, &limit);
}

static long slow_other(const struct target *target)
{
        return setpriority(PRIO_PROCESS, (id_t)target->victim, 19);
}

static long start_program(const struct target *target _unused_)
{
        const char *const argv[] = { "/bin/echo", "done", NULL };

        return execve(argv[0], (char *const *)argv, NULL);
}

static long start_process(const struct target *target _unused_)
{
        long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

        if (pid == 0)
                syscall(SYS_exit_group, 0);
        return pid;
}

static long own_user_namespace(const struct target *target _unused_)
{
        return unshare(CLONE_NEWUSER);
}

static long mount_folder(const struct target *target)
{
        return mount("none", target->inner, "tmpfs", 0, NULL);
}

static long become_another(const struct target *target _unused_)
{
        return setuid(65534);
}

static long allow_looking(const struct target *target _unused_)
{
        return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static long ask_keyring(const struct target *target _unused_)
{
        return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
}

static long set_up_ring(const struct target *target)
{
        return syscall(SYS_io_uring_setup, 4, target->page);
}

static long load_program(const struct target *target _unused_)
{
        static const uint64_t attributes[16] = { 2 | 4ULL << 32, 8 | 1ULL << 32 }; /* a map: an array of one element */

        return syscall(SYS_bpf, 0, attributes, sizeof(attributes));
}

static long watch_performance(const struct target *target)
{
        memset(target->page, 0, 128);
        ((uint32_t *)target->page)[0] = 1;   /* type: software */
        ((uint32_t *)target->page)[1] = 128; /* size */
        return syscall(SYS_perf_event_open, target->page, 0, -1, -1, 0);
}

static long handle_faults(const struct target *target _unused_)
{
        return syscall(SYS_userfaultfd, 1); /* UFFD_USER_MODE_ONLY */
}

static long make_memory_file(const struct target *target _unused_)
{
        return memfd_create("x", MFD_CLOEXEC);
}

static long share_memory(const struct target *target _unused_)
{
        return shmget(IPC_PRIVATE, 4096, 0600);
}

static long watch_files(const struct target *target _unused_)
{
        return syscall(SYS_inotify_init1, 0);
}

static long map_executable(const struct target *target _unused_)
{
        return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
}

static long make_executable(const struct target *target)
{
        return mprotect(target->page, 4096, PROT_READ | PROT_EXEC);
}

static long make_timer(const struct target *target _unused_)
{
        timer_t timer;

        return timer_create(CLOCK_MONOTONIC, NULL, &timer);
}

static long other_personality(const struct target *target _unused_)
{
        return syscall(SYS_personality, 0x0400000); /* READ_IMPLIES_EXEC */
}

static long read_kernel_log(const struct target *target _unused_)
{
        return syscall(SYS_syslog, 10, NULL, 0);
}

static const struct {
        const char *name;
        try_fn run;
} tries[] = {
        { "open-for-reading", open_for_reading },
        { "open-for-writing", open_for_writing },
        { "create-file", create_file },
        { "open-temporary", open_temporary },
        { "open-by-path-alone", open_by_path_alone },
        { "list-folder", list_folder },
        { "look-at-file", look_at_file },
        { "truncate-file", truncate_file },
        { "remove-file", remove_file },
        { "rename-file", rename_file },
        { "make-folder", make_folder },
        { "make-link", make_link },
        { "make-fifo", make_fifo },
        { "change-mode", change_mode },
        { "change-folder", change_folder },
        { "change-root", change_root },
        { "connect-unix", connect_unix },
        { "connect-abstract", connect_abstract },
        { "connect-tcp", connect_tcp },
        { "listen-tcp", listen_tcp },
        { "send-udp", send_udp },
        { "open-netlink", open_netlink },
        { "make-socket-pair", make_socket_pair },
        { "pass-descriptor", pass_descriptor },
        { "signal-process", signal_process },
        { "signal-thread", signal_thread },
        { "signal-queued", signal_queued },
        { "signal-by-descriptor", signal_by_descriptor },
        { "signal-by-owner", signal_by_owner },
        { "signal-by-ioctl", signal_by_ioctl },
        { "set-owner", set_owner },
        { "set-signal", set_signal },
        { "set-async", set_async },
        { "set-lease", set_lease },
        { "set-notify", set_notify },
        { "set-pipe-size", set_pipe_size },
        { "copy-descriptor", copy_descriptor },
        { "trace", trace },
        { "read-memory", read_memory },
        { "write-memory", write_memory },
        { "limit-other", limit_other },
        { "slow-other", slow_other },
        { "start-program", start_program },
        { "start-process", start_process },
        { "own-user-namespace", own_user_namespace },
        { "mount-folder", mount_folder },
        { "become-another", become_another },
        { "allow-looking", allow_looking },
        { "ask-keyring", ask_keyring },
        { "set-up-ring", set_up_ring },
        { "load-program", load_program },
        { "watch-performance", watch_performance },
        { "handle-faults", handle_faults },
        { "make-memory-file", make_memory_file },
        { "share-memory", share_memory },
        { "watch-files", watch_files },
        { "map-executable", map_executable },
        { "make-executable", make_executable },
        { "make-timer", make_timer },
        { "other-personality", other_personality },
        { "read-kernel-log", read_kernel_log },
};

static try_fn find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(tries); i++)
                if (streq(tries[i].name, name))
                        return tries[i].run;
        return NULL;
}

static bool prepare(char **argv, struct target *out)
{
        *out = (struct target){
                .file = xasprintf("%s/file", argv[3]),
                .fresh = xasprintf("%s/fresh", argv[3]),
                .inner = xasprintf("%s/inner", argv[3]),
                .socket = xasprintf("%s/socket", argv[3]),
                .victim = (pid_t)strtol(argv[4], NULL, 10),
                .port = (unsigned)strtoul(argv[5], NULL, 10),
                .page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        };
        out->memory = (char *)out->page;
        return out->page != MAP_FAILED && pipe2(out->pipe, O_CLOEXEC) == 0 &&
               socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, out->pair) == 0;
}

int main(int argc, char **argv)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct target target;
        try_fn run;
        long result;

        run = argc == 6 ? find(argv[2]) : NULL;
        if (!run || !prepare(argv, &target))
                return 2;
        if (streq(argv[1], "confined") && confine_as_the_helper(&error) < 0) {
                fprintf(stderr, "%s\n", error->message);
                return 2;
        }
        result = run(&target);
        if (result < 0)
                printf("%d\n", errno);
        else
                puts("done");
        free(target.file);
        free(target.fresh);
        free(target.inner);
        free(target.socket);
        return 0;
}
