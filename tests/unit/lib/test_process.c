/* Programs are found, started, waited for and replaced. See test_process_run.c for process_run() and process_check(). */
#include "scratch.h"

#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/process.h"

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

/* Spawns and waits. Gives what the child wrote to stdout. */
static int spawn_and_read(const struct process_spec *spec, struct strbuf *said)
{
        struct process_spec with_pipe = *spec;
        int ends[2];
        int status = -1;
        pid_t pid;

        assert_int_equal(os_pipe(ends), 0);
        with_pipe.stdout_fd = ends[1];
        assert_int_equal(process_spawn(&with_pipe, &pid, NULL), 0);
        close(ends[1]);
        assert_int_equal(file_read_fd(ends[0], "the child", 1 << 20, said, NULL), 0);
        close(ends[0]);
        assert_int_equal(process_wait(pid, -1, &status, NULL), 1);
        return status;
}

static void a_child_is_waited_for_and_reaped_once(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *message = NULL;
        int status = -1;
        pid_t pid = 0;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("sh", "-c", "exit 3") }, &pid, NULL), 0);
        assert_true(pid > 0);
        assert_int_equal(process_wait(pid, 20000, &status, NULL), 1);
        assert_int_equal(WEXITSTATUS(status), 3);
        message = xasprintf("cannot wait for process %d: No child processes", (int)pid);
        assert_int_equal(process_wait(pid, 20000, &status, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

static void waiting_ends_at_its_limit(void **state)
{
        int status = 42;
        int64_t before;
        pid_t pid;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("sleep", "60") }, &pid, NULL), 0);
        before = now_ms();
        assert_int_equal(process_wait(pid, 0, &status, NULL), 0);
        assert_int_equal(process_wait(pid, 50, &status, NULL), 0);
        assert_in_range(now_ms() - before, 50, 20000);
        assert_int_equal(status, 42);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(process_wait(pid, -1, &status, NULL), 1);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void a_program_that_is_not_there_is_named(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        pid_t pid = 42;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("no-such-program") }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run 'no-such-program': not found");
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("/no/such/program") }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run '/no/such/program': not found");
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("") }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run '': not found");
        assert_int_equal(pid, 42);
}

static void a_program_that_can_not_be_run_is_named_with_the_reason(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "program");
        _cleanup_(freep) char *no_format = xasprintf("cannot run '%s': Exec format error", path);
        _cleanup_(freep) char *no_interpreter = xasprintf("cannot run '%s': No such file or directory", path);
        pid_t pid = 42;

        assert_int_equal(file_write_text(path, "echo no shell guesses what this is\n", 0700, NULL), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV(path) }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, no_format);
        assert_int_equal(file_write_text(path, "#!/no/such/interpreter\n", 0700, NULL), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV(path) }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, no_interpreter);
        assert_int_equal(pid, 42);
}

static void a_child_runs_in_its_folder(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *line = xasprintf("%s\n", (const char *)*state);
        _cleanup_(freep) char *missing = path_join(*state, "missing");
        _cleanup_(freep) char *message = xasprintf("cannot run 'pwd' in '%s': No such file or directory", missing);
        pid_t pid;

        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("pwd", "-P"), .folder = *state }, &said), 0);
        assert_string_equal(said.buf, line);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("pwd"), .folder = missing }, &pid, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

static int run_relative_program(void *folder)
{
        static const char *const argv[] = { "./program", NULL };
        pid_t pid;
        int status;

        if (chdir(folder) < 0 || process_spawn(&(struct process_spec){ .argv = argv, .folder = "/" }, &pid, NULL) < 0 ||
            process_wait(pid, -1, &status, NULL) != 1)
                return 1;
        return WEXITSTATUS(status);
}

static void a_relative_program_is_looked_up_from_our_folder(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *path = path_join(*state, "program");
        int status;

        assert_int_equal(file_write_text(path, "#!/bin/sh\nexit 9\n", 0700, NULL), 0);
        status = in_child(run_relative_program, *state, &said);
        assert_int_equal(WEXITSTATUS(status), 9);
}

static void a_child_has_the_environment_it_is_given(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf ours = STRBUF_INIT;

        assert_int_equal(setenv("MACHINE_TEST", "ours", 1), 0);
        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("env"), .environment = ARGV("A=1", "B=x y") },
                                        &said),
                         0);
        assert_string_equal(said.buf, "A=1\nB=x y\n");
        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("printenv", "MACHINE_TEST") }, &ours), 0);
        assert_string_equal(ours.buf, "ours\n");
        assert_int_equal(unsetenv("MACHINE_TEST"), 0);
}

static void a_child_has_no_descriptors_but_those_named(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf none = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf two = STRBUF_INIT;
        int leaked = fcntl(STDIN_FILENO, F_DUPFD, 30); /* not O_CLOEXEC */
        int low = fcntl(STDIN_FILENO, F_DUPFD, 3);
        const struct process_fd fds[] = { { .child_fd = 7, .fd = low }, { .child_fd = 5, .fd = leaked } };

        assert_true(leaked >= 30);
        assert_true(low >= 3);
        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("ls", "/proc/self/fd") }, &none), 0);
        assert_string_equal(none.buf, "0\n1\n2\n3\n"); /* 3 is the folder that ls reads */
        assert_int_equal(
                spawn_and_read(&(struct process_spec){ .argv = ARGV("ls", "/proc/self/fd"), .fds = fds, .fd_count = 2 }, &two),
                0);
        assert_string_equal(two.buf, "0\n1\n2\n3\n5\n7\n");
        close(leaked);
        close(low);
}

/* A descriptor from which `text` is read. */
static int readable(const char *text)
{
        int ends[2];

        assert_int_equal(os_pipe(ends), 0);
        assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
        close(ends[1]);
        return ends[0];
}

static void descriptors_may_change_places(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int one = readable("one ");
        int two = readable("two ");
        int in = readable("in ");
        const struct process_fd fds[] = { { .child_fd = one, .fd = two }, { .child_fd = two, .fd = one } };
        _cleanup_(freep) char *first = xasprintf("/proc/self/fd/%d", one);
        _cleanup_(freep) char *second = xasprintf("/proc/self/fd/%d", two);

        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("cat", first, second, "-"),
                                                                .stdin_fd = in,
                                                                .fds = fds,
                                                                .fd_count = 2 },
                                        &said),
                         0);
        assert_string_equal(said.buf, "two one in ");
        close(one);
        close(two);
        close(in);
}

/* All descriptor numbers that are free here are used in the child. */
static void many_descriptors_may_change_places(void **state)
{
        enum { COUNT = 40 };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf expected = STRBUF_INIT;
        struct process_fd fds[COUNT];

        strv_add(&argv, "cat");
        for (int i = 0; i < COUNT; i++) {
                _cleanup_(freep) char *text = xasprintf("%d ", i);
                int fd = readable(text);

                fds[i] = (struct process_fd){ .child_fd = 3 + (i * 7) % COUNT, .fd = fcntl(fd, F_DUPFD_CLOEXEC, 100) };
                close(fd);
                strv_addf(&argv, "/proc/self/fd/%d", fds[i].child_fd);
                strbuf_adds(&expected, text);
        }
        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = strv_argv(&argv), .fds = fds, .fd_count = COUNT },
                                        &said),
                         0);
        assert_string_equal(said.buf, expected.buf);
        for (int i = 0; i < COUNT; i++)
                close(fds[i].fd);
}

static void a_descriptor_that_is_not_open_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        const struct process_fd fds[] = { { .child_fd = 3, .fd = 9999 } };
        pid_t pid = 42;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("true"), .fds = fds, .fd_count = 1 }, &pid, &err),
                         -1);
        assert_error(err, ERROR_FAILED, "cannot run 'true': Bad file descriptor");
        assert_int_equal(pid, 42);
}

static size_t open_descriptors(void)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        assert_int_equal(file_list("/proc/self/fd", &names, NULL), 0);
        return names.count;
}

static void no_descriptor_stays_open_here(void **state)
{
        const struct process_fd good[] = { { .child_fd = 3, .fd = 0 } };
        const struct process_fd bad[] = { { .child_fd = 3, .fd = 0 }, { .child_fd = 4, .fd = 9999 } };
        size_t before = open_descriptors();
        pid_t pid;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("true"), .fds = good, .fd_count = 1 }, &pid, NULL),
                         0);
        assert_int_equal(process_wait(pid, -1, NULL, NULL), 1);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("true"), .fds = bad, .fd_count = 2 }, &pid, NULL),
                         -1);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("true"), .folder = "/missing" }, &pid, NULL), -1);
        assert_int_equal(open_descriptors(), before);
}

static void standard_streams_go_to_dev_null(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int status =
                spawn_and_read(&(struct process_spec){ .argv = ARGV("readlink", "/proc/self/fd/0", "/proc/self/fd/2") }, &said);

        assert_int_equal(status, 0);
        assert_string_equal(said.buf, "/dev/null\n/dev/null\n");
}

static int spawn_inheriting(void *data)
{
        static const char *const argv[] = { "sh", "-c", "cat >&2", NULL };
        int in = readable("inherited");
        pid_t pid;

        if (dup2(in, STDIN_FILENO) < 0 ||
            process_spawn(&(struct process_spec){ .argv = argv, .stdin_fd = PROCESS_INHERIT, .stderr_fd = PROCESS_INHERIT },
                          &pid, NULL) < 0)
                return 1;
        return process_wait(pid, -1, NULL, NULL) == 1 ? 0 : 1;
}

static void inherited_streams_are_ours(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        assert_int_equal(in_child(spawn_inheriting, NULL, &said), 0);
        assert_string_equal(said.buf, "inherited");
}

static void a_new_session_is_one(void **state)
{
        pid_t ours;
        pid_t own;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("sleep", "60") }, &ours, NULL), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = ARGV("sleep", "60"), .new_session = true }, &own, NULL),
                         0);
        assert_int_equal(getsid(ours), getsid(0));
        assert_int_equal(getsid(own), own);
        assert_int_equal(kill(ours, SIGKILL), 0);
        assert_int_equal(kill(own, SIGKILL), 0);
        assert_int_equal(process_wait(ours, -1, NULL, NULL), 1);
        assert_int_equal(process_wait(own, -1, NULL, NULL), 1);
}

/* The set of signals in a line of /proc/self/status: bit 0 is signal 1. */
static unsigned long long signals_in(const char *status, const char *name)
{
        const char *line = strstr(status, name);

        assert_non_null(line);
        return strtoull(line + strlen(name), NULL, 16);
}

#define SIGNAL_BIT(number) (1ULL << ((number)-1))

static void a_child_blocks_and_ignores_no_signal(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        const unsigned long long ours = SIGNAL_BIT(SIGINT) | SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGTERM);
        sigset_t blocked;
        sigset_t before;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGTERM);
        sigprocmask(SIG_BLOCK, &blocked, &before);
        signal(SIGINT, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        assert_int_equal(spawn_and_read(&(struct process_spec){ .argv = ARGV("cat", "/proc/self/status") }, &said), 0);
        assert_true(signals_in(said.buf, "SigBlk:") == 0);
        assert_true((signals_in(said.buf, "SigIgn:") & ours) == 0);
        signal(SIGINT, SIG_DFL);
        signal(SIGPIPE, SIG_DFL);
        sigprocmask(SIG_SETMASK, &before, NULL);
}

static int exec_shell(void *data)
{
        static const char *const argv[] = { "sh", "-c", "echo \"$A $0\" >&2; cat /proc/self/status >&2; exit 5", NULL };
        static const char *const environment[] = { "A=given", "PATH=/usr/bin:/bin", NULL };
        sigset_t blocked;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGTERM);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        signal(SIGPIPE, SIG_IGN);
        process_exec(argv, environment, NULL);
        return 1;
}

static void a_program_takes_our_place(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int status = in_child(exec_shell, NULL, &said);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 5);
        assert_true(starts_with(said.buf, "given sh\n"));
        assert_true(signals_in(said.buf, "SigBlk:") == 0);
        assert_true((signals_in(said.buf, "SigIgn:") & SIGNAL_BIT(SIGPIPE)) == 0);
}

static void a_program_that_can_not_take_our_place_is_named(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "program");
        _cleanup_(freep) char *message = xasprintf("cannot run '%s': Exec format error", path);

        assert_int_equal(process_exec(ARGV("no-such-program"), NULL, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot run 'no-such-program': not found");
        assert_int_equal(file_write_text(path, "nothing\n", 0700, NULL), 0);
        assert_int_equal(process_exec(ARGV(path), NULL, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

/* Looks `program` up in a PATH with this value (NULL = none). Owned by the caller. */
static char *find_in(const char *value, const char *program)
{
        _cleanup_(freep) char *before = xstrdup(getenv("PATH"));
        char *found;

        assert_int_equal(value ? setenv("PATH", value, 1) : unsetenv("PATH"), 0);
        found = process_find(program);
        assert_int_equal(before ? setenv("PATH", before, 1) : unsetenv("PATH"), 0);
        return found;
}

static void a_program_is_found_in_the_first_folder_that_has_it(void **state)
{
        static const char *const files[] = { "one/both", "two/both", "two/only", "two/one-more" };
        _cleanup_(freep) char *one = path_join(*state, "one");
        _cleanup_(freep) char *two = path_join(*state, "two");
        _cleanup_(freep) char *path = xasprintf("/missing:%s:%s", one, two);
        _cleanup_(freep) char *expected_both = path_join(one, "both");
        _cleanup_(freep) char *expected_only = path_join(two, "only");
        _cleanup_(freep) char *both = NULL;
        _cleanup_(freep) char *only = NULL;

        assert_int_equal(mkdir(one, 0700), 0);
        assert_int_equal(mkdir(two, 0700), 0);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_(freep) char *file = path_join(*state, files[i]);

                assert_int_equal(file_write_text(file, "", 0700, NULL), 0);
        }
        both = find_in(path, "both");
        only = find_in(path, "only");
        assert_string_equal(both, expected_both);
        assert_string_equal(only, expected_only);
        assert_null(find_in(path, "neither"));
        assert_null(find_in(path, ""));
        assert_null(find_in("", "both"));
        assert_null(find_in(":::", "both"));
}

static void what_is_no_program_is_passed_over(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "folder");
        _cleanup_(freep) char *file = path_join(*state, "file");
        _cleanup_(freep) char *dangling = path_join(*state, "dangling");

        assert_int_equal(mkdir(folder, 0700), 0);
        scratch_write(file, "");
        assert_int_equal(symlink("nowhere", dangling), 0);
        assert_null(find_in(*state, "folder"));
        assert_null(find_in(*state, "file"));
        assert_null(find_in(*state, "dangling"));
        assert_null(process_find(folder));
        assert_null(process_find(file));
}

static int find_in_current_folder(void *folder)
{
        static const char *const paths[] = { "", ".", ":", "::", "relative", "./", "/missing::" };

        if (chdir(folder) < 0)
                return 1;
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                _cleanup_(freep) char *found = find_in(paths[i], "program");

                if (found)
                        return 2;
        }
        return 0;
}

static void the_current_folder_is_not_searched(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *relative = path_join(*state, "relative");
        _cleanup_(freep) char *below = path_join(relative, "program");
        _cleanup_(freep) char *file = path_join(*state, "program");

        assert_int_equal(mkdir(relative, 0700), 0);
        assert_int_equal(file_write_text(file, "", 0700, NULL), 0);
        assert_int_equal(file_write_text(below, "", 0700, NULL), 0);
        assert_int_equal(in_child(find_in_current_folder, *state, &said), 0);
}

static void a_program_with_a_slash_is_not_searched_for(void **state)
{
        _cleanup_(freep) char *file = path_join(*state, "program");
        _cleanup_(freep) char *found = NULL;
        _cleanup_(freep) char *shell = find_in(NULL, "sh");

        assert_int_equal(file_write_text(file, "", 0700, NULL), 0);
        found = find_in("", file);
        assert_string_equal(found, file);
        assert_non_null(shell); /* without a PATH the system's default is used */
}

static void a_status_is_put_into_words(void **state)
{
        _cleanup_(freep) char *good = process_status_text(0);
        _cleanup_(freep) char *bad = process_status_text(3 << 8);
        _cleanup_(freep) char *killed = process_status_text(SIGKILL);
        _cleanup_(freep) char *dumped = process_status_text(SIGSEGV | 0x80);

        assert_string_equal(good, "exit status 0");
        assert_string_equal(bad, "exit status 3");
        assert_string_equal(killed, "signal 9 (Killed)");
        assert_string_equal(dumped, "signal 11 (Segmentation fault)");
}

static int change_environment(void *data)
{
        static const char *const overrides[] = { "A=2", "B", "NEW=x=y", "MISSING", "EMPTY=", NULL };
        _cleanup_(strv_clear) struct strv changed = STRV_INIT;
        _cleanup_(strv_clear) struct strv same = STRV_INIT;
        _cleanup_(strv_clear) struct strv none = STRV_INIT;
        _cleanup_(freep) char *text = NULL;
        _cleanup_(freep) char *same_text = NULL;

        clearenv();
        process_environment(&none, NULL);
        setenv("A", "1", 1);
        setenv("AB", "kept", 1);
        setenv("B", "1", 1);
        process_environment(&changed, overrides);
        process_environment(&same, NULL);
        text = strv_join(&changed, "|");
        same_text = strv_join(&same, "|");
        fprintf(stderr, "%zu %s %s", none.count, text, same_text);
        return 0;
}

static void an_environment_is_ours_with_changes(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        assert_int_equal(in_child(change_environment, NULL, &said), 0);
        assert_string_equal(said.buf, "0 AB=kept|A=2|NEW=x=y|EMPTY= A=1|AB=kept|B=1");
}

#define SCRATCH(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_child_is_waited_for_and_reaped_once),
                cmocka_unit_test(waiting_ends_at_its_limit),
                cmocka_unit_test(a_program_that_is_not_there_is_named),
                SCRATCH(a_program_that_can_not_be_run_is_named_with_the_reason),
                SCRATCH(a_child_runs_in_its_folder),
                SCRATCH(a_relative_program_is_looked_up_from_our_folder),
                cmocka_unit_test(a_child_has_the_environment_it_is_given),
                cmocka_unit_test(a_child_has_no_descriptors_but_those_named),
                cmocka_unit_test(descriptors_may_change_places),
                cmocka_unit_test(many_descriptors_may_change_places),
                cmocka_unit_test(a_descriptor_that_is_not_open_is_an_error),
                cmocka_unit_test(no_descriptor_stays_open_here),
                cmocka_unit_test(standard_streams_go_to_dev_null),
                cmocka_unit_test(inherited_streams_are_ours),
                cmocka_unit_test(a_new_session_is_one),
                cmocka_unit_test(a_child_blocks_and_ignores_no_signal),
                cmocka_unit_test(a_program_takes_our_place),
                SCRATCH(a_program_that_can_not_take_our_place_is_named),
                SCRATCH(a_program_is_found_in_the_first_folder_that_has_it),
                SCRATCH(what_is_no_program_is_passed_over),
                SCRATCH(the_current_folder_is_not_searched),
                SCRATCH(a_program_with_a_slash_is_not_searched_for),
                cmocka_unit_test(a_status_is_put_into_words),
                cmocka_unit_test(an_environment_is_ours_with_changes),
        };

        return cmocka_run_group_tests_name("lib/process", tests, NULL, NULL);
}
