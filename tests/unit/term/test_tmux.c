/* The keys that leave a session are those that reach the guest's tmux, also through the user's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "term/tmux.h"

#define TWICE "Ctrl-B Ctrl-B D (the first Ctrl-B is for your own tmux)"

/* Puts a program into PATH that answers for the tmux that we seem to run in. */
static void expect_keys(const char *answer, const char *expected)
{
        char folder[] = "/tmp/machine-tmux-XXXXXX";
        _cleanup_(freep) char *program = NULL;
        _cleanup_(freep) char *text = xasprintf("#!/bin/sh\n%s\n", answer);
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *keys = NULL;

        assert_non_null(mkdtemp(folder));
        program = path_join(folder, "tmux");
        path = xasprintf("%s:/usr/bin:/bin", folder);
        assert_int_equal(file_write_text(program, text, 0755, NULL), 0);
        assert_int_equal(setenv("PATH", path, 1), 0);
        keys = tmux_detach_keys();
        assert_string_equal(keys, expected);
        assert_int_equal(file_remove(folder, NULL), 0);
}

static void outside_of_tmux_once_is_enough(void **state)
{
        unsetenv("TMUX");
        expect_keys("exit 1", "Ctrl-B D");
        setenv("TMUX", "", 1);
        expect_keys("exit 1", "Ctrl-B D");
}

static void a_tmux_with_the_same_prefix_takes_the_first(void **state)
{
        setenv("TMUX", "/tmp/tmux-1000/default,1,0", 1);
        expect_keys("echo 'C-b None'", TWICE);
        expect_keys("echo 'C-a C-b'", TWICE);
}

static void a_tmux_with_another_prefix_takes_nothing(void **state)
{
        setenv("TMUX", "/tmp/tmux-1000/default,1,0", 1);
        expect_keys("test \"$*\" = \"display-message -p #{prefix} #{prefix2}\" && echo 'C-a None'", "Ctrl-B D");
}

static void a_tmux_that_cant_be_asked_is_taken_for_a_usual_one(void **state)
{
        setenv("TMUX", "/tmp/tmux-1000/default,1,0", 1);
        expect_keys("exit 1", TWICE);
        expect_keys("echo ' '", TWICE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(outside_of_tmux_once_is_enough),
                cmocka_unit_test(a_tmux_with_the_same_prefix_takes_the_first),
                cmocka_unit_test(a_tmux_with_another_prefix_takes_nothing),
                cmocka_unit_test(a_tmux_that_cant_be_asked_is_taken_for_a_usual_one),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
