/* Since when a guest does nothing, as a table of looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "operation/idle.h"

#define MINUTE 60000

struct look {
        int64_t at, cpu, moved;
        int64_t idle; /* expected: for how long */
};

static const struct {
        const char *what;
        struct look looks[8]; /* ends with one at 0 */
} cases[] = {
        { "the first look knows nothing of before", { { 10 * MINUTE, 5000, 0, 0 } } },
        { "a guest that does nothing",
          { { 10 * MINUTE, 5000, 0, 0 }, { 11 * MINUTE, 5600, 0, MINUTE }, { 12 * MINUTE, 6000, 0, 2 * MINUTE } } },
        { "a twentieth of a processor is idle still, and more is not",
          { { 10 * MINUTE, 0, 0, 0 },
            { 11 * MINUTE, 3000, 0, MINUTE },
            { 12 * MINUTE, 6001, 0, 0 },
            { 13 * MINUTE, 6001, 0, MINUTE } } },
        { "a byte that passed begins it anew",
          { { 10 * MINUTE, 0, 0, 0 },
            { 12 * MINUTE, 0, 11 * MINUTE, MINUTE },
            { 13 * MINUTE, 0, 11 * MINUTE, 2 * MINUTE },
            { 14 * MINUTE, 0, 14 * MINUTE, 0 } } },
        { "bytes from before the work was over",
          { { 10 * MINUTE, 0, 0, 0 }, { 11 * MINUTE, 50000, 10 * MINUTE, 0 }, { 12 * MINUTE, 50000, 10 * MINUTE, MINUTE } } },
        { "another process", { { 10 * MINUTE, 9000, 0, 0 }, { 11 * MINUTE, 10, 0, 0 }, { 12 * MINUTE, 10, 0, MINUTE } } },
        { "a clock that began anew", { { 10 * MINUTE, 0, 0, 0 }, { MINUTE, 0, 0, 0 }, { 2 * MINUTE, 0, 0, MINUTE } } },
        { "a time that is still to come counts for nothing",
          { { 10 * MINUTE, 0, 0, 0 }, { 11 * MINUTE, 0, 99 * MINUTE, MINUTE } } },
        { "looks that follow each other at once are judged together",
          { { 600000, 0, 0, 0 },
            { 601000, 900, 0, 1000 },
            { 619000, 900, 0, 19000 },
            { 630000, 900, 0, 30000 },
            { 640000, 5000, 0, 40000 },
            { 650001, 5000, 0, 0 } } },
        { "many looks, and a busy guest",
          { { 600000, 0, 0, 0 }, { 610000, 9000, 0, 10000 }, { 621000, 20000, 0, 0 }, { 631000, 20000, 0, 10000 } } },
        { "a pause between the looks is measured by its own length",
          { { 10 * MINUTE, 0, 0, 0 }, { 70 * MINUTE, 100000, 0, 60 * MINUTE } } },
};

static void each_look_says_since_when(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct idle idle = { 0 };

                for (const struct look *look = cases[i].looks; look->at > 0; look++) {
                        idle_judge(&idle, look->at, &(struct engine_activity){ .cpu_ms = look->cpu, .moved_ms = look->moved });
                        if (look->at - idle.since_ms != look->idle)
                                fail_msg("%s: at %jd ms it is idle for %jd ms, not %jd", cases[i].what, (intmax_t)look->at,
                                         (intmax_t)(look->at - idle.since_ms), (intmax_t)look->idle);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(each_look_says_since_when) };

        return cmocka_run_group_tests_name("operation/idle", tests, NULL, NULL);
}
