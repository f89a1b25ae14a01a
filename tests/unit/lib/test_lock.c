/* The lock file: between descriptors, between processes, and when it is removed while others wait for it. */
#include "scratch.h"

#include "check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "lib/deadline.h"
#include "lib/lock.h"
#include "lib/os.h"
#include "lib/process.h"

static char *lock_path(void **state)
{
        return path_join(*state, "lock");
}

/* A child that holds the lock until it is killed; `got` says whether it has it. */
struct holder {
        pid_t pid;
        bool got;
};

static struct holder start_holder(const char *path, enum lock_mode mode)
{
        struct holder holder;
        int ends[2];
        char said;

        assert_int_equal(os_pipe(ends), 0);
        holder.pid = fork_child();
        if (holder.pid == 0) {
                struct lock lock = LOCK_INIT;

                said = lock_acquire(&lock, path, mode, 0, NULL) == 0;
                while (write(ends[1], &said, 1) == 1)
                        pause();
                _exit(1);
        }
        close(ends[1]);
        assert_int_equal(read(ends[0], &said, 1), 1);
        close(ends[0]);
        holder.got = said;
        return holder;
}

static void end_holder(const struct holder *holder)
{
        assert_int_equal(kill(holder->pid, SIGKILL), 0);
        assert_int_equal(waitpid(holder->pid, NULL, 0), holder->pid);
}

static void the_file_is_made_for_us_alone(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
        assert_true(lock.fd >= 0);
        assert_int_equal(scratch_mode(path), 0600);
        assert_true(fcntl(lock.fd, F_GETFD) & FD_CLOEXEC);
}

static void a_released_lock_can_be_taken_again(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct lock lock = LOCK_INIT;

        for (int i = 0; i < 3; i++) {
                assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
                lock_release(&lock);
                assert_int_equal(lock.fd, -1);
        }
        lock_release(&lock);
        lock_release(NULL);
}

static void another_process_is_kept_out(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct holder first = start_holder(path, LOCK_EXCLUSIVE);
        struct holder second = start_holder(path, LOCK_EXCLUSIVE);
        struct holder reader = start_holder(path, LOCK_SHARED);

        assert_true(first.got);
        assert_false(second.got);
        assert_false(reader.got);
        end_holder(&first);
        end_holder(&second);
        end_holder(&reader);
}

static void readers_share_it_and_keep_a_writer_out(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct holder first = start_holder(path, LOCK_SHARED);
        struct holder second = start_holder(path, LOCK_SHARED);
        struct holder writer = start_holder(path, LOCK_EXCLUSIVE);

        assert_true(first.got);
        assert_true(second.got);
        assert_false(writer.got);
        end_holder(&writer);
        end_holder(&first);
        writer = start_holder(path, LOCK_EXCLUSIVE);
        assert_false(writer.got);
        end_holder(&writer);
        end_holder(&second);
        writer = start_holder(path, LOCK_EXCLUSIVE);
        assert_true(writer.got);
        end_holder(&writer);
}

static void waiting_ends_at_its_limit(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(freep) char *message = xasprintf("'%s' is held by another process", path);
        struct holder holder = start_holder(path, LOCK_EXCLUSIVE);
        struct lock lock = LOCK_INIT;
        int64_t before = now_ms();

        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, &err), -1);
        assert_true(now_ms() - before < 5000);
        assert_error(err, ERROR_FAILED, message);
        before = now_ms();
        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 150, &err), -1);
        assert_in_range(now_ms() - before, 150, 10000);
        assert_error(err, ERROR_FAILED, message);
        assert_int_equal(lock.fd, -1);
        end_holder(&holder);
}

static void who_only_tries_is_told_of_the_holder(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(freep) char *missing = path_join(*state, "missing/lock");
        _cleanup_(error_freep) struct error *err = NULL;
        struct holder holder = start_holder(path, LOCK_EXCLUSIVE);
        struct lock lock = LOCK_INIT;

        assert_int_equal(lock_try(&lock, path, LOCK_EXCLUSIVE, &err), 0);
        assert_int_equal(lock.fd, -1);
        assert_null(err);
        end_holder(&holder);
        assert_int_equal(lock_try(&lock, path, LOCK_EXCLUSIVE, &err), 1);
        assert_true(lock.fd >= 0);
        lock_release(&lock);
        assert_int_equal(lock_try(&lock, missing, LOCK_EXCLUSIVE, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
}

static void a_waiter_gets_the_lock_of_a_process_that_was_killed(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        struct holder holder = start_holder(path, LOCK_EXCLUSIVE);

        assert_int_equal(kill(holder.pid, SIGKILL), 0);
        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, -1, NULL), 0);
        assert_int_equal(waitpid(holder.pid, NULL, 0), holder.pid);
}

static void a_program_that_we_start_does_not_hold_it(void **state)
{
        const char *const argv[] = { "sleep", "30", NULL };
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        struct lock again = LOCK_INIT;
        pid_t pid;

        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = argv }, &pid, NULL), 0);
        lock_release(&lock);
        assert_int_equal(lock_acquire(&again, path, LOCK_EXCLUSIVE, 0, NULL), 0);
        lock_release(&again);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(process_wait(pid, -1, NULL, NULL), 1);
}

static void a_missing_folder_is_not_found(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "missing/lock");
        _cleanup_(freep) char *message = xasprintf("cannot open the lock '%s': No such file or directory", path);
        struct lock lock = LOCK_INIT;

        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
        assert_int_equal(lock.fd, -1);
}

static void a_symlink_is_no_lock(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(freep) char *target = path_join(*state, "target");
        _cleanup_(freep) char *message = xasprintf("cannot open the lock '%s': Too many levels of symbolic links", path);
        struct lock lock = LOCK_INIT;

        assert_int_equal(symlink(target, path), 0);
        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_false(file_exists(target));
        assert_int_equal(lock_is_held(path, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

static void a_question_finds_the_holder(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct holder holder;

        assert_int_equal(lock_is_held(path, NULL), 0);
        assert_false(file_exists(path)); /* asking makes no file */
        holder = start_holder(path, LOCK_EXCLUSIVE);
        assert_int_equal(lock_is_held(path, NULL), 1);
        end_holder(&holder);
        assert_int_equal(lock_is_held(path, NULL), 0);
        holder = start_holder(path, LOCK_SHARED);
        assert_int_equal(lock_is_held(path, NULL), 0);
        end_holder(&holder);
}

static void whether_anybody_uses_it_can_be_asked_too(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "lock");
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        assert_int_equal(lock_is_used(path, NULL), 0);
        assert_int_equal(lock_acquire(&lock, path, LOCK_SHARED, 0, NULL), 0);
        assert_int_equal(lock_is_held(path, NULL), 0);
        assert_int_equal(lock_is_used(path, NULL), 1);
        lock_release(&lock);
        assert_int_equal(lock_is_used(path, NULL), 0);
        assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
        assert_int_equal(lock_is_used(path, NULL), 1);
}

static void a_question_that_can_not_be_asked_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *file = path_join(*state, "file");
        _cleanup_(freep) char *path = path_join(file, "lock");
        _cleanup_(freep) char *elsewhere = path_join(*state, "missing/lock");
        _cleanup_(freep) char *message = xasprintf("cannot open the lock '%s': Not a directory", path);

        scratch_write(file, "");
        assert_int_equal(lock_is_held(path, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_int_equal(lock_is_held(elsewhere, NULL), 0);
}

#define ASKERS 3

/* Asks until it is killed. Returns 1 if it was told of a holder that doesn't exist. */
static int keep_asking(const char *path)
{
        while (lock_is_held(path, NULL) == 0)
                ;
        return 1;
}

static void start_askers(const char *path, pid_t askers[ASKERS])
{
        for (size_t i = 0; i < ASKERS; i++) {
                askers[i] = fork_child();
                if (askers[i] == 0)
                        _exit(keep_asking(path));
        }
}

/* Each must have gone on asking until it was killed. */
static void end_askers(const pid_t askers[ASKERS])
{
        for (size_t i = 0; i < ASKERS; i++) {
                int status = 0;

                kill(askers[i], SIGKILL);
                assert_int_equal(process_wait(askers[i], -1, &status, NULL), 1);
                assert_true(WIFSIGNALED(status));
        }
}

static void those_who_ask_do_not_take_each_other_for_a_holder(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        pid_t askers[ASKERS];

        scratch_write(path, "");
        start_askers(path, askers);
        assert_int_equal(poll(NULL, 0, 300), 0);
        end_askers(askers);
}

static int keep_asking_whatever_comes(const char *path)
{
        while (lock_is_held(path, NULL) >= 0)
                poll(NULL, 0, 1);
        return 1;
}

static void somebody_asking_makes_nobody_fail(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct lock lock = LOCK_INIT;
        pid_t pid = fork_child();

        if (pid == 0)
                _exit(keep_asking_whatever_comes(path));
        for (int i = 0; i < 30000; i++) {
                assert_int_equal(lock_acquire(&lock, path, LOCK_EXCLUSIVE, 0, NULL), 0);
                lock_release(&lock);
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(process_wait(pid, -1, NULL, NULL), 1);
}

/* Runs in a child: waits for the lock. 0 = it has the lock, and the path names that file; 1 = not found; 2 = anything else. */
static int wait_for_lock(void *path)
{
        _cleanup_(error_freep) struct error *err = NULL;
        struct lock lock = LOCK_INIT;
        struct stat ours;
        struct stat named;

        if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 20000, &err) < 0)
                return err->kind == ERROR_NOT_FOUND ? 1 : 2;
        return fstat(lock.fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_ino == named.st_ino ? 0 : 2;
}

/* Starts wait_for_lock() and gives it time to open the file. */
static pid_t start_waiter(char *path)
{
        pid_t pid = fork_child();

        if (pid == 0)
                _exit(wait_for_lock(path));
        assert_int_equal(process_wait(pid, 100, NULL, NULL), 0);
        return pid;
}

static int waiters_end(pid_t pid)
{
        int status = -1;

        assert_int_equal(process_wait(pid, 20000, &status, NULL), 1);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void a_waiter_does_not_take_a_file_that_was_removed(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct holder holder = start_holder(path, LOCK_EXCLUSIVE);
        pid_t waiter = start_waiter(path);

        assert_int_equal(unlink(path), 0);
        end_holder(&holder);
        assert_int_equal(waiters_end(waiter), 0);
}

static void a_waiter_does_not_take_a_file_whose_name_is_another_ones(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        struct holder old = start_holder(path, LOCK_EXCLUSIVE);
        pid_t waiter = start_waiter(path);
        struct holder new;

        assert_int_equal(unlink(path), 0);
        new = start_holder(path, LOCK_EXCLUSIVE);
        assert_true(new.got);
        end_holder(&old);
        /* It had the old file for a moment, and now waits for the new one. */
        assert_int_equal(process_wait(waiter, 100, NULL, NULL), 0);
        end_holder(&new);
        assert_int_equal(waiters_end(waiter), 0);
}

static void a_waiter_learns_that_the_folder_is_gone(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "blog");
        _cleanup_(freep) char *path = path_join(folder, "lock");
        struct holder holder;
        pid_t waiter;

        assert_int_equal(mkdir(folder, 0700), 0);
        holder = start_holder(path, LOCK_EXCLUSIVE);
        waiter = start_waiter(path);
        assert_int_equal(file_remove(folder, NULL), 0);
        end_holder(&holder);
        assert_int_equal(waiters_end(waiter), 1);
}

#define WORKERS 4
#define TURNS   50

/* Adds one to the number in `counter`, TURNS times under the lock. It removes the lock file each time before it lets go. */
static int count_up(const char *path, const char *counter)
{
        for (int turn = 0; turn < TURNS; turn++) {
                _cleanup_(lock_release) struct lock lock = LOCK_INIT;
                int number = 0;
                int fd;

                if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 60000, NULL) < 0)
                        return 1;
                fd = open(counter, O_RDWR | O_CLOEXEC);
                if (pread(fd, &number, sizeof(number), 0) != sizeof(number))
                        return 2;
                number++;
                poll(NULL, 0, turn % 2);
                if (pwrite(fd, &number, sizeof(number), 0) != sizeof(number))
                        return 3;
                close(fd);
                if (unlink(path) < 0)
                        return 4;
        }
        return 0;
}

static void one_at_a_time_works_even_where_each_removes_the_lock(void **state)
{
        _cleanup_(freep) char *path = lock_path(state);
        _cleanup_(freep) char *counter = path_join(*state, "counter");
        _cleanup_(strbuf_clear) struct strbuf data = STRBUF_INIT;
        pid_t workers[WORKERS];
        int number = 0;

        assert_int_equal(file_write(counter, &number, sizeof(number), 0600, NULL), 0);
        for (size_t i = 0; i < WORKERS; i++) {
                workers[i] = fork_child();
                if (workers[i] == 0)
                        _exit(count_up(path, counter));
        }
        for (size_t i = 0; i < WORKERS; i++) {
                int status = -1;

                assert_int_equal(process_wait(workers[i], 60000, &status, NULL), 1);
                assert_int_equal(status, 0);
        }
        assert_int_equal(file_read(counter, sizeof(number), &data, NULL), 0);
        memcpy(&number, data.buf, sizeof(number));
        assert_int_equal(number, WORKERS * TURNS);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(the_file_is_made_for_us_alone),
                TEST(a_released_lock_can_be_taken_again),
                TEST(another_process_is_kept_out),
                TEST(readers_share_it_and_keep_a_writer_out),
                TEST(waiting_ends_at_its_limit),
                TEST(who_only_tries_is_told_of_the_holder),
                TEST(a_waiter_gets_the_lock_of_a_process_that_was_killed),
                TEST(a_program_that_we_start_does_not_hold_it),
                TEST(a_missing_folder_is_not_found),
                TEST(a_symlink_is_no_lock),
                TEST(a_question_finds_the_holder),
                TEST(whether_anybody_uses_it_can_be_asked_too),
                TEST(a_question_that_can_not_be_asked_is_an_error),
                TEST(those_who_ask_do_not_take_each_other_for_a_holder),
                TEST(somebody_asking_makes_nobody_fail),
                TEST(a_waiter_does_not_take_a_file_that_was_removed),
                TEST(a_waiter_does_not_take_a_file_whose_name_is_another_ones),
                TEST(a_waiter_learns_that_the_folder_is_gone),
                TEST(one_at_a_time_works_even_where_each_removes_the_lock),
        };

        return cmocka_run_group_tests_name("lib/lock", tests, NULL, NULL);
}
