/* What becomes of children when the program that started them is killed. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "lib/os.h"
#include "lib/process.h"

/* Runs `function` in a child that is killed when it has written its pids, and gives those. */
static void pids_of_killed(void (*function)(pid_t *pids, void *data), void *data, pid_t *pids, size_t size)
{
        int ends[2];
        pid_t child;

        assert_int_equal(os_pipe(ends), 0);
        child = fork_child();
        if (child == 0) {
                function(pids, data);
                if (write(ends[1], pids, size) == (ssize_t)size)
                        raise(SIGKILL);
                _exit(1);
        }
        close(ends[1]);
        assert_int_equal(read(ends[0], pids, size), size);
        close(ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
}

/* Waits for the end of a process that is not our child. Returns false when it goes on. */
static bool ends_within(pid_t pid, int timeout_ms)
{
        _cleanup_(closep) int fd = os_process_fd(pid);
        struct pollfd polled = { .fd = fd, .events = POLLIN };

        return fd < 0 ? errno == ESRCH : poll(&polled, 1, timeout_ms) == 1;
}

static void spawn_both(pid_t *pids, void *data _unused_)
{
        static const char *const argv[] = { "sleep", "600", NULL };

        if (process_spawn(&(struct process_spec){ .argv = argv, .new_session = true }, &pids[0], NULL) < 0 ||
            process_spawn(&(struct process_spec){ .argv = argv, .outlives_us = true }, &pids[1], NULL) < 0)
                _exit(1);
}

static void a_child_ends_with_us_unless_it_outlives_us(void **state)
{
        pid_t pids[2] = { 0, 0 };

        pids_of_killed(spawn_both, NULL, pids, sizeof(pids));
        assert_true(ends_within(pids[0], 20000));
        assert_false(ends_within(pids[1], 200));
        assert_int_equal(kill(pids[1], SIGKILL), 0);
        assert_true(ends_within(pids[1], 20000));
}

static void act(void *data)
{
        file_write_text(data, "done", 0600, NULL);
}

static void guard_ourselves(pid_t *pids, void *data)
{
        struct process_guard guard = PROCESS_GUARD_INIT;

        if (process_guard_begin(&guard, act, data, NULL) < 0)
                _exit(1);
        pids[0] = guard.pid;
}

static void guard_and_stop(pid_t *pids, void *data)
{
        struct process_guard guard = PROCESS_GUARD_INIT;

        if (process_guard_begin(&guard, act, data, NULL) < 0)
                _exit(1);
        pids[0] = guard.pid;
        process_guard_end(&guard);
}

static void a_guard_acts_when_we_are_killed(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "acted");
        pid_t pid = 0;

        pids_of_killed(guard_and_stop, path, &pid, sizeof(pid));
        assert_true(ends_within(pid, 20000));
        assert_false(file_exists(path));
        pids_of_killed(guard_ourselves, path, &pid, sizeof(pid));
        assert_true(ends_within(pid, 20000));
        assert_true(file_exists(path));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_child_ends_with_us_unless_it_outlives_us),
                cmocka_unit_test_setup_teardown(a_guard_acts_when_we_are_killed, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests_name("lib/process-end", tests, NULL, NULL);
}
