/* What a process can still do under each list of system calls, and what ends it. Each case runs in its own child. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/filter.h"

/* 0 = success, else errno. */
static int result(long returned)
{
        return returned < 0 ? errno : 0;
}

/* Looked up before the filter forbids it. */
static pid_t tester;

static int run_in_child(enum filter_kind kind, int (*function)(void))
{
        const struct rlimit none = { 0, 0 };
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                setrlimit(RLIMIT_CORE, &none);
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_load(kind, NULL) < 0)
                        _exit(99);
                _exit(function());
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}

static void assert_result(enum filter_kind kind, int (*function)(void), int wanted)
{
        int status = run_in_child(kind, function);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), wanted);
}

static void assert_signal(enum filter_kind kind, int (*function)(void), int wanted)
{
        int status = run_in_child(kind, function);

        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), wanted);
}

static int read_resolv_conf(void)
{
        struct stat status;
        FILE *file;

        if (stat("/etc/resolv.conf", &status) < 0 && errno != ENOENT)
                return errno;
        file = fopen("/etc/passwd", "re");
        return !file || fgetc(file) == EOF || fclose(file) != 0 ? 1 : 0;
}

static int use_memory(void)
{
        for (size_t size = 1; size < 64 << 20; size *= 4) {
                char *block = malloc(size);

                if (!block)
                        return 1;
                memset(block, 1, size);
                block = realloc(block, size * 2);
                if (!block)
                        return 1;
                free(block);
        }
        return 0;
}

static int end_by_abort(void)
{
        abort();
}

static int open_to_write(void)
{
        return result(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static int create(void)
{
        return result(open("/tmp/machine-filter", O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int run_a_program(void)
{
        char *const argv[] = { (char *)"true", NULL };

        execv("/bin/true", argv);
        return errno;
}

static int make_executable_memory(void)
{
        return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                                      : 0;
}

static int make_memory_executable(void)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        return page == MAP_FAILED ? 1 : result(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int signal_another(void)
{
        return result(kill(tester, SIGCONT));
}

static int trace_another(void)
{
        return result(ptrace(PTRACE_ATTACH, tester, NULL, NULL));
}

static int start_a_process(void)
{
        pid_t pid = fork();

        if (pid == 0)
                _exit(0);
        return pid < 0 ? errno : 0;
}

static int listen_somewhere(void)
{
        return result(listen(STDIN_FILENO, 1));
}

static int open_tcp(void)
{
        return result(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_udp(void)
{
        return result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int open_raw(void)
{
        return result(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
}

static int open_unix(void)
{
        return result(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int make_a_channel(void)
{
        int ends[2];

        return result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
}

static int open_ipv6(void)
{
        return result(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int open_packet(void)
{
        return result(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int open_to_read(void)
{
        return result(open("/etc/hostname", O_RDONLY | O_CLOEXEC));
}

static int look_at_a_path(void)
{
        struct stat status;

        return result(stat("/etc/hostname", &status));
}

static int look_at_a_descriptor(void)
{
        struct stat status;

        return result(fstat(STDIN_FILENO, &status));
}

static int own_a_descriptor(void)
{
        return result(fcntl(STDIN_FILENO, F_SETOWN, tester));
}

static int choose_a_signal(void)
{
        return result(fcntl(STDIN_FILENO, F_SETSIG, SIGKILL));
}

static int lease_a_file(void)
{
        return result(fcntl(STDIN_FILENO, F_SETLEASE, F_RDLCK));
}

static int lock_a_file(void)
{
        struct flock lock = { .l_type = F_RDLCK };

        return result(fcntl(STDIN_FILENO, F_SETLK, &lock));
}

static int ask_for_signals(void)
{
        return result(fcntl(STDIN_FILENO, F_SETFL, O_ASYNC));
}

static int stop_blocking(void)
{
        return result(fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) & ~O_ASYNC));
}

static int send_a_message(void)
{
        const struct msghdr message = { 0 };

        return result((int)sendmsg(STDIN_FILENO, &message, 0));
}

static int send_urgent_data(void)
{
        return result((int)send(STDIN_FILENO, "x", 1, MSG_OOB));
}

static int ask_for_a_terminal(void)
{
        struct winsize size;

        return result(ioctl(STDIN_FILENO, TIOCGWINSZ, &size));
}

static void a_worker_can_do_its_work(void **state)
{
        assert_result(FILTER_WORKER, stop_blocking, 0);
        assert_result(FILTER_WORKER, look_at_a_descriptor, 0);
        assert_result(FILTER_WORKER, use_memory, 0);
        assert_result(FILTER_WORKER, open_tcp, 0);
        assert_result(FILTER_WORKER, open_udp, 0);
}

/* The log says how a worker died, so this must differ from a forbidden call. */
static void a_worker_can_abort(void **state)
{
        assert_signal(FILTER_WORKER, end_by_abort, SIGABRT);
}

static void what_a_library_may_try_is_denied_to_a_worker(void **state)
{
        assert_result(FILTER_WORKER, open_raw, EACCES);
        assert_result(FILTER_WORKER, open_unix, EAFNOSUPPORT);
        assert_result(FILTER_WORKER, open_ipv6, EAFNOSUPPORT);
        assert_result(FILTER_WORKER, open_packet, EAFNOSUPPORT);
        assert_result(FILTER_WORKER, ask_for_a_terminal, ENOTTY);
}

static void all_else_ends_a_worker(void **state)
{
        assert_signal(FILTER_WORKER, make_a_channel, SIGSYS);
        assert_signal(FILTER_WORKER, open_to_write, SIGSYS);
        assert_signal(FILTER_WORKER, create, SIGSYS);
        assert_signal(FILTER_WORKER, run_a_program, SIGSYS);
        assert_signal(FILTER_WORKER, make_executable_memory, SIGSYS);
        assert_signal(FILTER_WORKER, make_memory_executable, SIGSYS);
        assert_signal(FILTER_WORKER, signal_another, SIGSYS);
        assert_signal(FILTER_WORKER, trace_another, SIGSYS);
        assert_signal(FILTER_WORKER, start_a_process, SIGSYS);
        assert_signal(FILTER_WORKER, listen_somewhere, SIGSYS);
        assert_signal(FILTER_WORKER, open_to_read, SIGSYS);
        assert_signal(FILTER_WORKER, look_at_a_path, SIGSYS);
        assert_signal(FILTER_WORKER, read_resolv_conf, SIGSYS);
        assert_signal(FILTER_WORKER, own_a_descriptor, SIGSYS);
        assert_signal(FILTER_WORKER, choose_a_signal, SIGSYS);
        assert_signal(FILTER_WORKER, lease_a_file, SIGSYS);
        assert_signal(FILTER_WORKER, lock_a_file, SIGSYS);
        assert_signal(FILTER_WORKER, ask_for_signals, SIGSYS);
        assert_signal(FILTER_WORKER, send_a_message, SIGSYS);
        assert_signal(FILTER_WORKER, send_urgent_data, SIGSYS);
}

static void a_supervisor_starts_workers_and_no_programs(void **state)
{
        assert_result(FILTER_SUPERVISOR, start_a_process, 0);
        assert_result(FILTER_SUPERVISOR, read_resolv_conf, 0);
        assert_result(FILTER_SUPERVISOR, own_a_descriptor, EPERM);
        assert_result(FILTER_SUPERVISOR, choose_a_signal, EPERM);
        assert_result(FILTER_SUPERVISOR, lease_a_file, EPERM);
        assert_result(FILTER_SUPERVISOR, open_unix, 0);
        assert_result(FILTER_SUPERVISOR, make_a_channel, 0);
        assert_result(FILTER_SUPERVISOR, run_a_program, EPERM);
        assert_result(FILTER_SUPERVISOR, trace_another, EPERM);
        assert_result(FILTER_SUPERVISOR, open_to_write, EPERM);
        assert_result(FILTER_SUPERVISOR, make_executable_memory, EPERM);
        assert_result(FILTER_SUPERVISOR, open_ipv6, EPERM);
        assert_result(FILTER_SUPERVISOR, open_packet, EPERM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_worker_can_do_its_work),
                cmocka_unit_test(a_worker_can_abort),
                cmocka_unit_test(what_a_library_may_try_is_denied_to_a_worker),
                cmocka_unit_test(all_else_ends_a_worker),
                cmocka_unit_test(a_supervisor_starts_workers_and_no_programs),
        };

        tester = getpid();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
