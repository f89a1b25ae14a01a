/* Only the lock says whether a VM's QEMU lives, and QEMU itself is what is ended. */
#include "scratch.h"

#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/process.h"
#include "qemu/holder.h"
#include "qemu/qmp.h"
#include "qemu/runtime.h"
#include "qemu/socket.h"

#define LOCK_FD 4
#define QMP_FD  5

struct fixture {
        char *folder;
        struct vm vm;
        struct runtime runtime;
};

static int setup(void **state)
{
        struct fixture *fixture = xcalloc(1, sizeof(*fixture));
        void *folder;

        if (scratch_setup(&folder) < 0)
                return -1;
        fixture->folder = folder;
        setenv("XDG_RUNTIME_DIR", folder, 1);
        fixture->vm = (struct vm)VM_INIT;
        fixture->vm.name = xstrdup("blog");
        fixture->vm.folder = path_join(folder, "blog");
        *state = fixture;
        return runtime_find(&fixture->vm, &fixture->runtime, NULL) < 0 ||
                               file_make_private_folder(fixture->vm.folder, NULL) < 0 ||
                               runtime_prepare(&fixture->runtime, NULL) < 0
                       ? -1
                       : 0;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;
        void *folder = fixture->folder;

        runtime_clear(&fixture->runtime);
        vm_clear(&fixture->vm);
        free(fixture);
        return scratch_teardown(&folder);
}

/* A real QEMU without a machine, holding the lock as a VM's does. */
static pid_t start_qemu(const struct fixture *fixture)
{
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *socket = xasprintf("socket,id=qmp,fd=%d,server=on,wait=off", QMP_FD);
        const char *const argv[] = {
                "qemu-system-x86_64",       "-nodefaults", "-display", "none", "-machine", "none", "-chardev", socket, "-mon",
                "chardev=qmp,mode=control", NULL
        };
        _cleanup_(freep) char *program = process_find(argv[0]);
        _cleanup_(closep) int listener = -1;
        pid_t pid;

        if (!program) {
                print_message("'%s' is not installed\n", argv[0]);
                skip();
        }
        assert_int_equal(runtime_claim(&fixture->runtime, &lock, NULL), 0);
        assert_int_equal(socket_listen(fixture->runtime.qmp, &listener, NULL), 0);
        assert_int_equal(process_spawn(&(struct process_spec){ .argv = argv,
                                                               .fds = (const struct process_fd[]){ { LOCK_FD, lock.fd },
                                                                                                   { QMP_FD, listener } },
                                                               .fd_count = 2,
                                                               .new_session = true },
                                       &pid, NULL),
                         0);
        return pid;
}

static void reap(pid_t pid)
{
        assert_int_equal(process_wait(pid, 10000, NULL, NULL), 1);
}

static void a_vm_without_a_lock_file_does_not_live(void **state)
{
        struct fixture *fixture = *state;

        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 0);
        assert_int_equal(runtime_kill(&fixture->runtime, NULL), 0);
}

static void a_lock_that_cannot_be_opened_is_an_error_and_no_guess(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(symlink("/dev/null", fixture->runtime.lock), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, &err), -1);
        assert_non_null(err);
        assert_int_equal(unlink(fixture->runtime.lock), 0);
}

static void two_who_look_do_not_take_each_other_for_qemu(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        assert_int_equal(lock_acquire(&lock, fixture->runtime.lock, LOCK_SHARED, 0, NULL), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 0);
}

static void a_claim_is_seen_and_taken_once(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(lock_release) struct lock first = LOCK_INIT;
        _cleanup_(lock_release) struct lock second = LOCK_INIT;

        assert_int_equal(runtime_claim(&fixture->runtime, &first, NULL), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 1);
        assert_int_equal(runtime_claim(&fixture->runtime, &second, NULL), -1);
}

static void a_started_qemu_is_waited_for_named_asked_and_killed(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        _cleanup_(json_decrefp) json_t *status = NULL;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(closep) int process = -1;
        pid_t pid = start_qemu(fixture);
        pid_t named = 0;

        assert_int_equal(holder_find(fixture->runtime.lock, &named, NULL), 1);
        assert_int_equal(named, pid);
        assert_int_equal(runtime_qmp(&fixture->runtime, -1, deadline_in(10000), &qmp, NULL), 0);
        assert_int_equal(runtime_process(&fixture->runtime, &process, NULL), 0);
        assert_int_equal(qmp_call(qmp, "query-status", NULL, deadline_in(10000), &status, NULL), 0);
        assert_true(json_is_object(status));
        assert_int_equal(qmp_call(qmp, "no-such-command", NULL, deadline_in(10000), NULL, &err), -1);
        assert_non_null(strstr(err->message, "QEMU refuses 'no-such-command'"));
        assert_int_equal(runtime_wait_end(&fixture->runtime, process, deadline_in(50), NULL), 0);
        assert_int_equal(runtime_kill(&fixture->runtime, NULL), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 0);
        reap(pid);
}

static void a_qemu_that_answers_nobody_is_killed_all_the_same(void **state)
{
        struct fixture *fixture = *state;
        pid_t pid = start_qemu(fixture);

        assert_int_equal(kill(pid, SIGSTOP), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 1);
        assert_int_equal(runtime_kill(&fixture->runtime, NULL), 0);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 0);
        reap(pid);
}

static void only_an_exclusive_lock_makes_a_holder(void **state)
{
        assert_true(holder_parse("pos:\t0\nflags:\t02100002\nlock:\t1: FLOCK  ADVISORY  WRITE 12 fe:00:99 0 EOF\n"));
        assert_false(holder_parse("pos:\t0\nlock:\t1: FLOCK  ADVISORY  READ 12 fe:00:99 0 EOF\n"));
        assert_false(holder_parse("pos:\t0\nlock:\t1: POSIX  ADVISORY  WRITE 12 fe:00:99 0 EOF\n"));
        assert_false(holder_parse("pos:\t0\n"));
        assert_false(holder_parse(""));
}

static void events_come_in_their_order_and_the_end_is_told(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;
        _cleanup_(error_freep) struct error *err = NULL;
        pid_t pid = start_qemu(fixture);
        char *name = NULL;

        assert_int_equal(runtime_qmp(&fixture->runtime, -1, deadline_in(10000), &qmp, NULL), 0);
        assert_int_equal(qmp_next_event(qmp, deadline_in(20), &name, NULL), 0);
        assert_int_equal(qmp_call(qmp, "stop", NULL, deadline_in(10000), NULL, NULL), 0);
        assert_int_equal(qmp_call(qmp, "quit", NULL, deadline_in(10000), NULL, NULL), 0);
        assert_int_equal(qmp_next_event(qmp, deadline_in(10000), &name, NULL), 1);
        assert_string_equal(name, "STOP");
        set_string(&name, NULL);
        assert_int_equal(qmp_next_event(qmp, deadline_in(10000), &name, NULL), 1);
        assert_string_equal(name, "SHUTDOWN");
        set_string(&name, NULL);
        assert_int_equal(qmp_next_event(qmp, deadline_in(10000), &name, &err), -1);
        assert_string_equal(err->message, "QEMU has ended");
        reap(pid);
        assert_int_equal(runtime_is_alive(&fixture->runtime, NULL), 0);
}

static void a_qemu_that_ends_before_it_listens_is_not_waited_for(void **state)
{
        struct fixture *fixture = *state;
        const char *const argv[] = { "true", NULL };
        _cleanup_(closep) int process = -1;
        _cleanup_(error_freep) struct error *err = NULL;
        struct qmp *qmp = NULL;
        int64_t begun = now_ms();
        pid_t pid;

        assert_int_equal(process_spawn(&(struct process_spec){ .argv = argv }, &pid, NULL), 0);
        process = os_process_fd(pid);
        assert_true(process >= 0);
        assert_int_equal(runtime_qmp(&fixture->runtime, process, deadline_in(10000), &qmp, &err), -1);
        assert_int_equal(err->kind, ERROR_NOT_FOUND);
        assert_true(now_ms() - begun < 5000);
        reap(pid);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_vm_without_a_lock_file_does_not_live, setup, teardown),
                cmocka_unit_test_setup_teardown(a_lock_that_cannot_be_opened_is_an_error_and_no_guess, setup, teardown),
                cmocka_unit_test_setup_teardown(two_who_look_do_not_take_each_other_for_qemu, setup, teardown),
                cmocka_unit_test_setup_teardown(a_claim_is_seen_and_taken_once, setup, teardown),
                cmocka_unit_test_setup_teardown(a_started_qemu_is_waited_for_named_asked_and_killed, setup, teardown),
                cmocka_unit_test_setup_teardown(a_qemu_that_answers_nobody_is_killed_all_the_same, setup, teardown),
                cmocka_unit_test(only_an_exclusive_lock_makes_a_holder),
                cmocka_unit_test_setup_teardown(events_come_in_their_order_and_the_end_is_told, setup, teardown),
                cmocka_unit_test_setup_teardown(a_qemu_that_ends_before_it_listens_is_not_waited_for, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
