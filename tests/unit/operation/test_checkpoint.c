/* Which connections are named as what an undo can't take back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation/checkpoint.h"

#define SINCE 1000

static const struct {
        const char *what;
        struct account_line line;
        bool left;
} cases[] = {
        { "a push", { .reached = true, .protocol = (char *)"tcp", .port = 22, .sent = 1200, .last = 1500 }, true },
        { "in the same second", { .reached = true, .protocol = (char *)"tcp", .sent = 1, .last = 1000 }, true },
        { "before the run", { .reached = true, .protocol = (char *)"tcp", .sent = 1200, .last = 999 }, false },
        { "refused", { .reached = false, .protocol = (char *)"tcp", .sent = 0, .last = 1500 }, false },
        { "nothing was sent", { .reached = true, .protocol = (char *)"tcp", .sent = 0, .last = 1500 }, false },
        { "a question for a name", { .reached = true, .protocol = (char *)"dns", .sent = 40, .last = 1500 }, false },
        { "a datagram", { .reached = true, .protocol = (char *)"udp", .sent = 40, .last = 1500 }, true },
};

static void what_was_sent_since_then_is_named(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                if (checkpoint_left_since(&cases[i].line, SINCE) != cases[i].left)
                        fail_msg("%s", cases[i].what);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(what_was_sent_since_then_is_named) };

        return cmocka_run_group_tests_name("operation/checkpoint", tests, NULL, NULL);
}
