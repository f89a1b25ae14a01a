#include "show/race.h"

static json_t *number(bool known, int64_t value)
{
        return known ? json_integer((json_int_t)value) : json_null();
}

static json_t *show_fork(const struct race_fork *fork)
{
        return json_pack("{s:s, s:I, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:s?, s:s?}", "name", fork->name, "number",
                         (json_int_t)fork->number, "branch", fork->branch, "exit",
                         number(fork->command.known, fork->command.status), "test", number(fork->test.known, fork->test.status),
                         "files", number(fork->compared, fork->diff.files), "added", number(fork->compared, fork->diff.added),
                         "removed", number(fork->compared, fork->diff.removed), "seconds",
                         fork->took_ms < 0 ? json_null() : json_real((double)fork->took_ms / 1000), "log", fork->log, "reason",
                         fork->trouble);
}

json_t *show_race(const struct race *race)
{
        json_t *array = json_array();

        for (size_t i = 0; i < race->count; i++)
                json_array_append_new(array, show_fork(&race->items[i]));
        return array;
}
