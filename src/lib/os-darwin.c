#include "lib/os.h"

#include <copyfile.h>
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <mach-o/dyld.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/strbuf.h"

/* The process of each descriptor of os_process_fd(), because a kqueue doesn't say what it waits for. */
static struct {
        pthread_mutex_t mutex;
        pid_t *pids; /* by descriptor; 0 = never one of ours */
        size_t room;
} watched = { .mutex = PTHREAD_MUTEX_INITIALIZER };

static void remember(int fd, pid_t pid)
{
        size_t place = (size_t)fd;

        pthread_mutex_lock(&watched.mutex);
        if (place >= watched.room) {
                watched.pids = xreallocarray(watched.pids, place + 1, sizeof(*watched.pids));
                memset(watched.pids + watched.room, 0, (place + 1 - watched.room) * sizeof(*watched.pids));
                watched.room = place + 1;
        }
        watched.pids[place] = pid;
        pthread_mutex_unlock(&watched.mutex);
}

static pid_t recall(int fd)
{
        pid_t pid = 0;

        pthread_mutex_lock(&watched.mutex);
        if (fd >= 0 && (size_t)fd < watched.room)
                pid = watched.pids[fd];
        pthread_mutex_unlock(&watched.mutex);
        return pid;
}

static int close_on_exec(int fd)
{
        return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* kqueue(2) doesn't find a process that has ended and waits to be reaped, or that is about to end. Is `pid` such a process? */
static bool is_ending(pid_t pid)
{
        siginfo_t info;

        /* First our children, at any moment; then those of others, once they have ended (kill(2) succeeds on them). */
        return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || kill(pid, 0) == 0;
}

/* Makes the queue readable for good. */
static int trigger(int queue)
{
        struct kevent changes[2];

        EV_SET(&changes[0], 0, EVFILT_USER, EV_ADD, 0, 0, NULL);
        EV_SET(&changes[1], 0, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
        return kevent(queue, changes, ARRAY_SIZE(changes), NULL, 0, NULL);
}

/* Nothing takes the event out of the queue, so the queue stays readable. */
int os_process_fd(pid_t pid)
{
        _cleanup_(closep) int queue = kqueue();
        struct kevent change;

        if (queue < 0 || close_on_exec(queue) < 0)
                return -1;
        EV_SET(&change, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
        if (kevent(queue, &change, 1, NULL, 0, NULL) < 0) {
                if (errno != ESRCH)
                        return -1;
                if (!is_ending(pid)) {
                        errno = ESRCH;
                        return -1;
                }
                if (trigger(queue) < 0)
                        return -1;
        }
        remember(queue, pid);
        return TAKE_FD(queue);
}

int os_process_signal(int process_fd, int signal)
{
        struct pollfd ended = { .fd = process_fd, .events = POLLIN };
        pid_t pid = recall(process_fd);

        if (pid <= 0) {
                errno = EBADF;
                return -1;
        }
        if (poll(&ended, 1, 0) < 0)
                return -1;
        if (ended.revents != 0) {
                errno = ended.revents & POLLNVAL ? EBADF : ESRCH;
                return -1;
        }
        return kill(pid, signal);
}

int os_forbid_core(void)
{
        return setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

int os_peer_pid(int socket, pid_t *pid, uid_t *uid)
{
        pid_t peer;
        uid_t user;
        gid_t group;
        socklen_t length = sizeof(peer);

        if (getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &peer, &length) < 0 || getpeereid(socket, &user, &group) < 0)
                return -1;
        *pid = peer;
        *uid = user;
        return 0;
}

/*
 * sysctl(3), KERN_PROCARGS2: the number of arguments, the program's path, zeros, the arguments and then the environment, each
 * with its zero. Returns the length of all that, or -1 with errno.
 */
static ssize_t read_arguments(pid_t pid, struct strbuf *out)
{
        int most_name[] = { CTL_KERN, KERN_ARGMAX };
        int name[] = { CTL_KERN, KERN_PROCARGS2, (int)pid };
        int most = 0;
        size_t length = sizeof(most);

        if (sysctl(most_name, ARRAY_SIZE(most_name), &most, &length, NULL, 0) < 0)
                return -1;
        length = (size_t)most;
        strbuf_reserve(out, length);
        if (sysctl(name, ARRAY_SIZE(name), out->buf, &length, NULL, 0) < 0)
                return -1;
        return (ssize_t)length;
}

int os_process_mentions(pid_t pid, const char *text)
{
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
        ssize_t length = read_arguments(pid, &data);
        const char *at, *end;
        int count;

        /* EINVAL: there is no such process, it has ended, or it is somebody else's. kill(2) tells these apart. */
        if (length < 0)
                return errno == EINVAL && (kill(pid, 0) == 0 || errno == ESRCH) ? 0 : -1;
        if ((size_t)length < sizeof(count))
                return 0;
        memcpy(&count, data.buf, sizeof(count));
        at = data.buf + sizeof(count);
        end = data.buf + length;
        at += strnlen(at, (size_t)(end - at));
        while (at < end && *at == '\0')
                at++;
        for (; count > 0 && at < end; count--) {
                size_t argument = strnlen(at, (size_t)(end - at));

                if (memmem(at, argument, text, strlen(text)))
                        return 1;
                at += argument < (size_t)(end - at) ? argument + 1 : argument;
        }
        return 0;
}

int os_copy_file(const char *from, const char *to)
{
        int copied = copyfile(from, to, NULL, COPYFILE_CLONE | COPYFILE_EXCL | COPYFILE_DATA_SPARSE);

        return copied < 0 ? -1 : chmod(to, 0600);
}

int64_t os_process_memory(pid_t pid)
{
        struct rusage_info_v0 info;

        if (proc_pid_rusage(pid, RUSAGE_INFO_V0, (rusage_info_t *)(void *)&info) < 0)
                return 0;
        return (int64_t)info.ri_phys_footprint;
}

/* The times are in units of mach_absolute_time(3), which are nanoseconds or some tens of them: near enough to tell work from
 * none. */
int os_process_work(pid_t pid, struct os_process_work *out)
{
        struct proc_bsdinfo process;
        struct rusage_info_v2 info;

        if (proc_pid_rusage(pid, RUSAGE_INFO_V2, (rusage_info_t *)(void *)&info) < 0 ||
            proc_pidinfo(pid, PROC_PIDTBSDINFO, 0, &process, sizeof(process)) != (int)sizeof(process))
                return -1;
        *out = (struct os_process_work){
                .busy_ms = (int64_t)((info.ri_user_time + info.ri_system_time) / 1000000),
                .disk_bytes = (int64_t)(info.ri_diskio_bytesread + info.ri_diskio_byteswritten),
                .stopped = process.pbi_status == SSTOP,
        };
        return 0;
}

char *os_program_path(struct error **err)
{
        uint32_t room = 0;
        _cleanup_(freep) char *path = NULL;
        char *real;

        _NSGetExecutablePath(NULL, &room); /* fails, but says how much room it needs */
        path = xcalloc(room + 1, 1);
        if (_NSGetExecutablePath(path, &room) < 0) {
                error_set(err, ERROR_FAILED, "cannot find the path of the running program");
                return NULL;
        }
        if (*path == '/')
                return TAKE_PTR(path);
        real = realpath(path, NULL);
        if (!real)
                error_errno(err, ERROR_FAILED, "cannot find the path of the running program '%s'", path);
        return real;
}

int os_pipe(int ends[2])
{
        _cleanup_(closep) int reading = -1;
        _cleanup_(closep) int writing = -1;
        int made[2];

        if (pipe(made) < 0)
                return -1;
        reading = made[0];
        writing = made[1];
        if (close_on_exec(reading) < 0 || close_on_exec(writing) < 0)
                return -1;
        ends[0] = TAKE_FD(reading);
        ends[1] = TAKE_FD(writing);
        return 0;
}

int os_pipe_nonblocking(int ends[2])
{
        _cleanup_(closep) int reading = -1;
        _cleanup_(closep) int writing = -1;
        int made[2];

        if (os_pipe(made) < 0)
                return -1;
        reading = made[0];
        writing = made[1];
        if (fcntl(reading, F_SETFL, O_NONBLOCK) < 0 || fcntl(writing, F_SETFL, O_NONBLOCK) < 0)
                return -1;
        ends[0] = TAKE_FD(reading);
        ends[1] = TAKE_FD(writing);
        return 0;
}

int os_socket(int domain, int type)
{
        _cleanup_(closep) int fd = socket(domain, type, 0);

        return fd < 0 || close_on_exec(fd) < 0 ? -1 : TAKE_FD(fd);
}

int os_socket_pair(int ends[2])
{
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
                return -1;
        if (close_on_exec(ends[0]) == 0 && close_on_exec(ends[1]) == 0)
                return 0;
        close(ends[0]);
        close(ends[1]);
        return -1;
}

int os_sync(int fd)
{
        if (fcntl(fd, F_FULLFSYNC) == 0)
                return 0;
        /* A file system that can't do that, such as a network's or a memory stick's. */
        if (errno == ENOTSUP || errno == ENOTTY || errno == EINVAL)
                return fsync(fd);
        return -1;
}

int os_landlock(void)
{
        return 0;
}
