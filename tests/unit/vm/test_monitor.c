/* What QEMU says of its guest, and what is made of it. QEMU is played by the other end of a pair of sockets. */
#include "scratch.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm/monitor.h"

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n{\"return\": {}}\r\n"
#define EVENT    "{\"event\": \"RTC_CHANGE\", \"data\": {\"offset\": 1}}\r\n"
#define RUN(s)   "{\"return\": {\"status\": \"" s "\", \"running\": false}}\r\n"
#define DISK(io) "{\"return\": [{\"device\": \"\", \"io-status\": \"" io "\"}], \"id\": \"last\"}\r\n"

/* Asks a QEMU that says `text`. Returns what monitor_hear() does; *asked is what QEMU got. */
static int ask(const char *text, bool closes, struct monitor_status *out, char *asked, size_t room)
{
        _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
        ssize_t got;
        int heard;
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
        monitor_ask(&monitor, ends[0]);
        got = read(ends[1], asked, room - 1);
        asked[got > 0 ? got : 0] = '\0';
        if (closes)
                close(ends[1]);
        heard = monitor_hear(&monitor, deadline_in(50), out);
        if (!closes)
                close(ends[1]);
        return heard;
}

static void one_round_trip_is_enough(void **state)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        char asked[512];

        assert_int_equal(ask(GREETING EVENT RUN("io-error") DISK("nospace"), false, &says, asked, sizeof(asked)), 1);
        assert_string_equal(says.run, "io-error");
        assert_true(says.full);
        assert_non_null(strstr(asked, "qmp_capabilities"));
        assert_non_null(strstr(asked, "query-status"));
}

static void silence_the_end_and_nonsense_are_told_apart(void **state)
{
        static const struct {
                const char *text;
                bool closes;
                int heard;
        } cases[] = {
                { "", false, 0 },
                { GREETING, false, 0 },
                { GREETING RUN("running"), false, 0 },
                { GREETING, true, -1 },
                { "hello\n", false, -1 },
                { GREETING DISK("ok"), false, -1 }, /* it never said what its guest does */
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
                char asked[512];

                assert_int_equal(ask(cases[i].text, cases[i].closes, &says, asked, sizeof(asked)), cases[i].heard);
        }
}

static void what_has_come_is_heard_after_the_limit(void **state)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
        const char text[] = GREETING RUN("running") DISK("ok");
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        monitor_ask(&monitor, ends[0]);
        assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
        assert_int_equal(monitor_hear(&monitor, deadline_in(0), &says), 1);
        close(ends[1]);
}

static void each_state_of_qemu_means_something(void **state)
{
        static const struct {
                const char *run, *reason, *hint;
                enum vm_state state;
                bool full, waits;
        } cases[] = {
                { "running", NULL, NULL, VM_RUNNING, false, false },
                { "prelaunch", NULL, NULL, VM_RUNNING, false, false },
                { "inmigrate", NULL, NULL, VM_RUNNING, false, false },
                { "something-new", NULL, NULL, VM_RUNNING, false, false },
                { "io-error", "the host's disk is full (/vms/blog)", "make room there, and then: machine up blog", VM_PAUSED,
                  true, true },
                { "io-error", "the host can't read or write the VM's disk (/vms/blog)",
                  "look at that file system, and then: machine up blog", VM_PAUSED, false, true },
                { "paused", "somebody has stopped it by QEMU's monitor", "machine up blog", VM_PAUSED, false, true },
                { "suspended", "the guest has put itself to sleep", "machine up blog", VM_PAUSED, false, true },
                { "internal-error", "QEMU or KVM can't go on with it", "machine down blog", VM_PAUSED, false, false },
                { "guest-panicked", "the guest's kernel has panicked", "machine down blog", VM_PAUSED, false, false },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                const struct monitor_status says = { .run = (char *)cases[i].run, .full = cases[i].full };
                _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

                monitor_judge(&says, "blog", "/vms/blog/disk.qcow2", &status);
                print_message("%s\n", cases[i].run);
                assert_int_equal(status.state, cases[i].state);
                assert_true(streq_ptr(status.reason, cases[i].reason));
                assert_true(streq_ptr(status.hint, cases[i].hint));
                assert_int_equal(status.waits, cases[i].waits);
                assert_true(vm_state_is_alive(status.state));
        }
}

static void a_process_that_was_stopped_is_told_from_one_that_hangs(void **state)
{
        _cleanup_(vm_status_clear) struct vm_status hangs = VM_STATUS_INIT;
        _cleanup_(vm_status_clear) struct vm_status stopped = VM_STATUS_INIT;
        _cleanup_(freep) char *hint = NULL;
        pid_t child = fork();

        if (child == 0)
                for (;;)
                        pause();
        monitor_judge_silence("blog", child, &hangs);
        assert_int_equal(hangs.state, VM_UNRESPONSIVE);
        assert_non_null(strstr(hangs.reason, "does not answer"));
        assert_false(hangs.waits);
        kill(child, SIGSTOP);
        assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
        monitor_judge_silence("blog", child, &stopped);
        hint = xasprintf("kill -CONT %d", (int)child);
        assert_non_null(strstr(stopped.reason, "does not answer: its process"));
        assert_string_equal(stopped.hint, hint);
        assert_true(stopped.waits);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(one_round_trip_is_enough),
                cmocka_unit_test(silence_the_end_and_nonsense_are_told_apart),
                cmocka_unit_test(what_has_come_is_heard_after_the_limit),
                cmocka_unit_test(each_state_of_qemu_means_something),
                cmocka_unit_test(a_process_that_was_stopped_is_told_from_one_that_hangs),
        };

        return cmocka_run_group_tests_name("vm/monitor", tests, NULL, NULL);
}
