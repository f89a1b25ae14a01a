/* What differs between systems: each call does what os.h promises. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "lib/os.h"
#include "lib/process.h"

/* The path of this program, for tests that copy it. */
static const char *program;

static pid_t start_child(int (*function)(int fd), int fd)
{
        pid_t pid = fork_child();

        if (pid == 0)
                _exit(function(fd));
        return pid;
}

/* Lives until the other end of the pipe is closed. */
static int live_on(int fd)
{
        char byte;

        return read(fd, &byte, 1) == 0 ? 0 : 1;
}

static bool is_readable(int fd, int timeout_ms)
{
        struct pollfd polled = { .fd = fd, .events = POLLIN };

        return poll(&polled, 1, timeout_ms) == 1 && polled.revents & POLLIN;
}

/* Checks that both are closed on exec, and that what goes into the second comes out of the first. Closes them. */
static void assert_connected(const int ends[2])
{
        char byte = 0;

        assert_true(fcntl(ends[0], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_int_equal(read(ends[0], &byte, 1), 1);
        assert_int_equal(byte, 'x');
        close(ends[0]);
        close(ends[1]);
}

static void both_ends_of_a_pipe_are_closed_on_exec(void **state)
{
        int ends[2];

        assert_int_equal(os_pipe(ends), 0);
        assert_connected(ends);
}

static void a_pair_of_sockets_is_closed_on_exec_and_connected(void **state)
{
        int ends[2];

        assert_int_equal(os_socket_pair(ends), 0);
        assert_connected(ends);
}

static int die_without_a_core(int fd)
{
        struct rlimit limit;

        if (os_forbid_core() < 0 || getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur > 1 || limit.rlim_max > 1)
                return 1;
        signal(SIGABRT, SIG_DFL);
        abort();
}

static void no_core_is_dumped_where_it_is_forbidden(void **state)
{
        pid_t pid = start_child(die_without_a_core, -1);
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_false(WCOREDUMP(status));
}

static void a_socket_is_closed_on_exec(void **state)
{
        _cleanup_(closep) int fd = os_socket(AF_UNIX, SOCK_STREAM);
        int type = 0;
        socklen_t length = sizeof(type);

        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length), 0);
        assert_int_equal(type, SOCK_STREAM);
        errno = 0;
        assert_int_equal(os_socket(-1, SOCK_STREAM), -1);
        assert_int_equal(errno, EAFNOSUPPORT);
}

static void a_process_descriptor_is_readable_once_the_process_ended(void **state)
{
        int ends[2];
        int status;
        pid_t pid;
        int fd;

        assert_int_equal(os_pipe(ends), 0);
        pid = fork_child();
        if (pid == 0) {
                close(ends[1]);
                _exit(live_on(ends[0]));
        }
        fd = os_process_fd(pid);
        assert_true(fd >= 0);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_false(is_readable(fd, 20));
        close(ends[1]);
        assert_true(is_readable(fd, 10000));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(is_readable(fd, 0)); /* from now on, for ever */
        close(fd);
        close(ends[0]);
}

static int end_at_once(int fd)
{
        return 0;
}

static void a_process_that_is_gone_has_no_descriptor(void **state)
{
        pid_t pid = start_child(end_at_once, -1);

        assert_int_equal(waitpid(pid, NULL, 0), pid);
        errno = 0;
        assert_int_equal(os_process_fd(pid), -1);
        assert_int_equal(errno, ESRCH);
}

static int wait_for_signal(int fd)
{
        pause();
        return 1;
}

static void a_signal_reaches_the_process_and_nobody_after_it(void **state)
{
        pid_t pid = start_child(wait_for_signal, -1);
        int fd = os_process_fd(pid);
        int status = 0;

        assert_true(fd >= 0);
        assert_int_equal(os_process_signal(fd, SIGTERM), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGTERM);
        errno = 0;
        assert_int_equal(os_process_signal(fd, SIGTERM), -1);
        assert_int_equal(errno, ESRCH);
        close(fd);
}

static void a_socket_knows_who_is_at_the_other_end(void **state)
{
        int ends[2];
        pid_t pid = 0;
        uid_t uid = 12345;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        assert_int_equal(os_peer_pid(ends[0], &pid, &uid), 0);
        assert_int_equal(pid, getpid());
        assert_int_equal(uid, geteuid());
        close(ends[0]);
        close(ends[1]);
}

static void a_pipe_has_nobody_at_the_other_end(void **state)
{
        int ends[2];
        pid_t pid = 42;
        uid_t uid = 42;

        assert_int_equal(os_pipe(ends), 0);
        assert_int_equal(os_peer_pid(ends[0], &pid, &uid), -1);
        assert_int_equal(errno, ENOTSOCK);
        assert_int_equal(pid, 42);
        assert_int_equal(uid, 42);
        close(ends[0]);
        close(ends[1]);
}

static void the_program_knows_where_it_is(void **state)
{
        _cleanup_(freep) char *path = os_program_path(NULL);
        struct stat ours;
        struct stat found;

        assert_non_null(path);
        assert_int_equal(path[0], '/');
        assert_int_equal(stat("/proc/self/exe", &ours), 0);
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(ours.st_ino, found.st_ino);
}

/* The path that a copy of this program at `path` reports after it has removed itself (and made `replacement`, if any). */
static char *path_of_removed(const char *path, const char *replacement)
{
        const char *const argv[] = { path, "say-path", replacement, NULL };
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        assert_int_equal(file_read(program, 1 << 28, &data, NULL), 0);
        assert_int_equal(file_write(path, data.buf, data.len, 0700, NULL), 0);
        assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, &said, NULL), 0);
        return strbuf_take(&said);
}

static int say_path(const char *path, const char *replacement)
{
        _cleanup_(freep) char *found = NULL;

        if (unlink(path) < 0 || (replacement && file_write_text(replacement, "new", 0700, NULL) < 0))
                return 1;
        found = os_program_path(NULL);
        return found && fputs(found, stdout) >= 0 ? 0 : 1;
}

static void a_program_that_was_updated_finds_the_new_one(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "machine");
        _cleanup_(freep) char *removed = path_of_removed(path, NULL);
        _cleanup_(freep) char *replaced = path_of_removed(path, path);

        assert_string_equal(removed, path);
        assert_string_equal(replaced, path);
}

static void a_long_path_is_not_cut(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf folder = STRBUF_INIT;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *said = NULL;

        strbuf_adds(&folder, *state);
        for (int i = 0; i < 5; i++)
                strbuf_addf(&folder, "/%0100d", i);
        assert_int_equal(file_make_folders(folder.buf, 0700, NULL), 0);
        path = path_join(folder.buf, "machine");
        said = path_of_removed(path, NULL);
        assert_string_equal(said, path);
}

static void a_copy_has_the_content_and_the_holes(void **state)
{
        _cleanup_(freep) char *from = path_join(*state, "from");
        _cleanup_(freep) char *to = path_join(*state, "to");
        _cleanup_(closep) int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        char end[4] = { 0 };
        struct stat info;

        assert_int_equal(pwrite(fd, "head", 4, 0), 4);
        assert_int_equal(pwrite(fd, "tail", 4, 64 << 20), 4);
        assert_int_equal(ftruncate(fd, 128 << 20), 0);
        assert_int_equal(os_copy_file(from, to), 0);
        assert_int_equal(stat(to, &info), 0);
        assert_int_equal(info.st_size, 128 << 20);
        assert_int_equal(info.st_mode & 0777, 0600);
        assert_true(info.st_blocks * 512 < 4 << 20);
        close(TAKE_FD(fd));
        fd = open(to, O_RDONLY | O_CLOEXEC);
        assert_int_equal(pread(fd, end, 4, 64 << 20), 4);
        assert_memory_equal(end, "tail", 4);
        assert_int_equal(pread(fd, end, 4, 0), 4);
        assert_memory_equal(end, "head", 4);
        assert_int_equal(os_copy_file(from, to), -1);
        assert_int_equal(errno, EEXIST);
}

static void what_was_written_is_brought_onto_the_disk(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "file");
        _cleanup_(closep) int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        _cleanup_(closep) int folder = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(write(file, "x", 1), 1);
        assert_int_equal(os_sync(file), 0);
        assert_int_equal(os_sync(folder), 0);
        errno = 0;
        assert_int_equal(os_sync(-1), -1);
        assert_int_equal(errno, EBADF);
}

#define SCRATCH(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(both_ends_of_a_pipe_are_closed_on_exec),
                cmocka_unit_test(a_pair_of_sockets_is_closed_on_exec_and_connected),
                cmocka_unit_test(no_core_is_dumped_where_it_is_forbidden),
                cmocka_unit_test(a_socket_is_closed_on_exec),
                cmocka_unit_test(a_process_descriptor_is_readable_once_the_process_ended),
                cmocka_unit_test(a_process_that_is_gone_has_no_descriptor),
                cmocka_unit_test(a_signal_reaches_the_process_and_nobody_after_it),
                cmocka_unit_test(a_socket_knows_who_is_at_the_other_end),
                cmocka_unit_test(a_pipe_has_nobody_at_the_other_end),
                cmocka_unit_test(the_program_knows_where_it_is),
                SCRATCH(a_program_that_was_updated_finds_the_new_one),
                SCRATCH(a_long_path_is_not_cut),
                SCRATCH(a_copy_has_the_content_and_the_holes),
                SCRATCH(what_was_written_is_brought_onto_the_disk),
        };

        if (argc >= 2 && streq(argv[1], "say-path"))
                return say_path(argv[0], argv[2]);
        program = argv[0];
        return cmocka_run_group_tests_name("lib/os", tests, NULL, NULL);
}
