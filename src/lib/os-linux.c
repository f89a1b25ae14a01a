#include "lib/os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/file.h"

/* Both calls through syscall(2): <sys/pidfd.h> came only with glibc 2.36. */
int os_process_fd(pid_t pid)
{
        return (int)syscall(SYS_pidfd_open, pid, 0);
}

int os_process_signal(int process_fd, int signal)
{
        return (int)syscall(SYS_pidfd_send_signal, process_fd, signal, NULL, 0);
}

static int copy_range(int in, int out, off_t start, off_t end)
{
        off_t written = start;

        while (start < end) {
                ssize_t count = copy_file_range(in, &start, out, &written, (size_t)(end - start), 0);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count <= 0)
                        return count < 0 ? -1 : 0; /* it became shorter */
        }
        return 0;
}

int os_copy_file(const char *from, const char *to)
{
        _cleanup_(closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_(closep) int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        off_t size = out < 0 ? -1 : lseek(in, 0, SEEK_END);
        off_t end = 0;

        if (size < 0 || ftruncate(out, size) < 0)
                return -1;
        for (;;) {
                off_t start = lseek(in, end, SEEK_DATA);

                if (start < 0)
                        return errno == ENXIO ? 0 : -1; /* nothing but a hole from there on */
                end = lseek(in, start, SEEK_HOLE);
                if (end < 0 || copy_range(in, out, start, end) < 0)
                        return -1;
        }
}

int os_forbid_core(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_CORE, &limit) < 0)
                return -1;
        /* A process with a limit of 0 can't be given 1 either. */
        limit.rlim_max = limit.rlim_max > 1 ? 1 : limit.rlim_max;
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(RLIMIT_CORE, &limit);
}

int os_peer_pid(int socket, pid_t *pid, uid_t *uid)
{
        struct ucred peer;
        socklen_t length = sizeof(peer);

        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
                return -1;
        *pid = peer.pid;
        *uid = peer.uid;
        return 0;
}

int os_process_mentions(pid_t pid, const char *text)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/cmdline", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf arguments = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_read(path, 2 << 20, &arguments, &error) < 0)
                return error->kind == ERROR_NOT_FOUND || errno == ESRCH ? 0 : -1;
        return memmem(arguments.buf, arguments.len, text, strlen(text)) != NULL;
}

int64_t os_process_memory(pid_t pid)
{
        static const char *const fields[] = { "\nRssAnon:", "\nRssShmem:" };
        _cleanup_(freep) char *path = xasprintf("/proc/%d/status", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        int64_t total = 0;

        if (file_read(path, 64 << 10, &text, NULL) < 0)
                return 0;
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
                const char *found = strstr(text.buf, fields[i]);

                if (found)
                        total += strtoll(found + strlen(fields[i]), NULL, 10) << 10;
        }
        return total;
}

/* The number after `field` in a file of /proc; 0 when it can't be read. */
static int64_t proc_number(pid_t pid, const char *file, const char *field)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/%s", (int)pid, file);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const char *found = file_read(path, 64 << 10, &text, NULL) == 0 ? strstr(text.buf, field) : NULL;

        return found ? strtoll(found + strlen(field), NULL, 10) : 0;
}

/* How long its threads have waited for a processor: the second number in /proc/PID/task/TID/schedstat, in nanoseconds. */
static int64_t waited_ms(pid_t pid)
{
        _cleanup_(freep) char *tasks = xasprintf("/proc/%d/task", (int)pid);
        _cleanup_(strv_clear) struct strv threads = STRV_INIT;
        int64_t total = 0;

        file_list(tasks, &threads, NULL);
        for (size_t i = 0; i < threads.count; i++) {
                _cleanup_(freep) char *file = xasprintf("task/%s/schedstat", threads.items[i]);

                total += proc_number(pid, file, " ") / 1000000;
        }
        return total;
}

/* Source: proc(5), /proc/PID/stat: after the name in parentheses come the state (3) and, as 14 and 15, the times in ticks. */
int os_process_work(pid_t pid, struct os_process_work *out)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/stat", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        unsigned long long user = 0, system = 0;
        const char *end;
        char state;

        if (file_read(path, 4096, &text, NULL) < 0)
                return -1;
        end = strrchr(text.buf, ')');
        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
        if (!end || sscanf(end + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &state, &user, &system) != 3) {
                errno = ESRCH;
                return -1;
        }
        *out = (struct os_process_work){
                .busy_ms = (int64_t)(user + system) * 1000 / sysconf(_SC_CLK_TCK) + waited_ms(pid),
                .disk_bytes = proc_number(pid, "io", "\nread_bytes: ") + proc_number(pid, "io", "\nwrite_bytes: "),
                .stopped = state == 'T' || state == 't',
        };
        return 0;
}

char *os_program_path(struct error **err)
{
        static const char deleted[] = " (deleted)";
        size_t room = 256;

        for (;;) {
                _cleanup_(freep) char *path = xmalloc(room);
                ssize_t length = readlink("/proc/self/exe", path, room);

                if (length < 0) {
                        error_errno(err, ERROR_FAILED, "cannot find the path of the running program");
                        return NULL;
                }
                if ((size_t)length < room) {
                        path[length] = '\0';
                        /* An update replaced it while it runs: the new program is where the old one was. */
                        if (ends_with(path, deleted) && !file_exists(path))
                                path[(size_t)length - strlen(deleted)] = '\0';
                        return TAKE_PTR(path);
                }
                room *= 2;
        }
}

int os_pipe(int ends[2])
{
        return pipe2(ends, O_CLOEXEC);
}

int os_pipe_nonblocking(int ends[2])
{
        return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

int os_socket(int domain, int type)
{
        return socket(domain, type | SOCK_CLOEXEC, 0);
}

int os_socket_pair(int ends[2])
{
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

int os_sync(int fd)
{
        return fsync(fd);
}

int os_landlock(void)
{
        /* LANDLOCK_CREATE_RULESET_VERSION */
        long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);

        return version < 0 ? 0 : (int)version;
}
