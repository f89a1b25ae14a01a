/* Questions are asked on the terminal, whatever stdin is. These tests ask a child with its own terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "term/prompt.h"

#define FAILED 9

/* Runs in the child: the exit status is the answer. Standard input has another answer, which must not be taken. */
static _noreturn_ void ask(const char *question)
{
        int ends[2];
        char rest;
        int answer;

        if (pipe(ends) < 0 || write(ends[1], "y\n", 2) != 2)
                _exit(FAILED);
        dup2(ends[0], STDIN_FILENO);
        answer = prompt_yes(question, "machine destroy --yes", NULL);
        if (read(STDIN_FILENO, &rest, 1) != 1 || rest != 'y')
                _exit(FAILED);
        _exit(answer < 0 ? FAILED : answer);
}

/* Asks on a new terminal, types `keys` when the question appears, and returns the answer and what was shown. */
static int answer_to(const char *question, const char *keys, struct strbuf *shown)
{
        deadline limit = deadline_in(10000);
        bool typed = false;
        int master, status;
        pid_t pid = forkpty(&master, NULL, NULL, NULL);

        assert_true(pid >= 0);
        if (pid == 0)
                ask(question);
        for (;;) {
                struct pollfd output = { .fd = master, .events = POLLIN };
                char block[256];
                ssize_t got;

                assert_int_equal(poll(&output, 1, deadline_left(limit)), 1);
                got = read(master, block, sizeof(block));
                if (got <= 0)
                        break;
                strbuf_add(shown, block, (size_t)got);
                if (!typed && strstr(shown->buf, "[y/N] ")) {
                        typed = true;
                        assert_int_equal(write(master, keys, strlen(keys)), strlen(keys));
                }
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(master);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void only_a_yes_is_a_yes(void **state)
{
        static const struct {
                const char *keys;
                int answer;
        } table[] = {
                { "y\n", 1 }, { "Y\n", 1 },   { "yes\n", 1 }, { "YES \n", 1 }, { "\n", 0 },
                { "n\n", 0 }, { "yep\n", 0 }, { "no\n", 0 },  { "yy\n", 0 },   { "\004", 0 },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

                assert_int_equal(answer_to("Remove VM 'blog'?", table[i].keys, &shown), table[i].answer);
                assert_non_null(strstr(shown.buf, "Remove VM 'blog'? [y/N] "));
        }
}

static void a_question_can_not_drive_the_terminal(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

        assert_int_equal(answer_to("Trust '\033[2K'?", "n\n", &shown), 0);
        assert_null(strchr(shown.buf, '\033'));
}

static void without_a_terminal_it_is_a_usage_error_with_the_hint(void **state)
{
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (pid == 0) {
                struct error *err = NULL;

                /* A new session has no terminal. */
                setsid();
                if (prompt_yes("Remove?", "machine destroy --yes blog", &err) != -1 || err->kind != ERROR_USAGE ||
                    !strstr(err->message, "Remove?") || !streq(err->hint, "machine destroy --yes blog"))
                        _exit(1);
                error_free(err);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_a_yes_is_a_yes),
                cmocka_unit_test(a_question_can_not_drive_the_terminal),
                cmocka_unit_test(without_a_terminal_it_is_a_usage_error_with_the_hint),
        };

        return cmocka_run_group_tests_name("term/prompt", tests, NULL, NULL);
}
