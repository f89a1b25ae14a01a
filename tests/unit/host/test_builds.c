#include "scratch.h"

#include "host/builds.h"
#include "lib/json.h"

static int use_state(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        return setenv("XDG_STATE_HOME", *state, 1);
}

static char *file_in(void **state)
{
        return path_join(*state, "machine/builds.json");
}

static void assert_unknown(const char *build)
{
        struct build_cost cost = builds_recall(build);

        assert_int_equal(cost.ms, 0);
        assert_int_equal(cost.bytes, 0);
}

static void nothing_is_known_before_the_first_build(void **state)
{
        assert_unknown(BUILD_IMAGE);
        assert_null(build_cost_text(&(struct build_cost){ 0 }));
}

static void the_last_build_is_remembered_beside_the_others(void **state)
{
        _cleanup_(freep) char *path = file_in(state);
        _cleanup_(json_decrefp) json_t *all = NULL;
        struct build_cost cost;

        builds_remember(BUILD_IMAGE, &(struct build_cost){ .ms = 30000, .bytes = 1 });
        builds_remember("profile rust", &(struct build_cost){ .ms = 240000, .bytes = INT64_C(900) << 20 });
        builds_remember(BUILD_IMAGE, &(struct build_cost){ .ms = 71500, .bytes = INT64_C(500) << 20 });
        cost = builds_recall(BUILD_IMAGE);
        assert_in_range(cost.ms, 71490, 71510);
        assert_int_equal(cost.bytes, INT64_C(500) << 20);
        assert_in_range(builds_recall("profile rust").ms, 239990, 240010);
        assert_unknown("profile node");
        all = json_read(path, 1 << 16, NULL);
        assert_non_null(all);
        assert_int_equal(json_integer_value(json_object_get(all, "version")), 1);
        assert_int_equal(scratch_mode(path), 0600);
}

static void what_can_not_be_used_is_not_known_and_is_replaced(void **state)
{
        static const char *const damaged[] = {
                "",
                "{",
                "[]",
                "{\"version\": 2, \"builds\": {\"image\": {\"seconds\": 1.0, \"bytes\": 1}}}",
                "{\"version\": 1, \"builds\": []}",
                "{\"version\": 1, \"builds\": {\"image\": 7}}",
                "{\"version\": 1, \"builds\": {\"image\": {\"seconds\": \"1\", \"bytes\": 1}}}",
                "{\"version\": 1, \"builds\": {\"image\": {\"seconds\": -4, \"bytes\": 1}}}",
                "{\"version\": 1, \"builds\": {\"image\": {\"seconds\": 1e300, \"bytes\": 1}}}",
                "{\"version\": 1, \"builds\": {\"image\": {\"seconds\": 5, \"bytes\": -1}}}",
                "{\"version\": 1, \"builds\": {\"image\": {\"seconds\": 5, \"bytes\": 9000000000000000000}}}",
        };
        _cleanup_(freep) char *path = file_in(state);

        for (size_t i = 0; i < ARRAY_SIZE(damaged); i++) {
                scratch_write(path, damaged[i]);
                assert_unknown(BUILD_IMAGE);
                builds_remember(BUILD_IMAGE, &(struct build_cost){ .ms = 5000, .bytes = 6 });
                assert_int_equal(builds_recall(BUILD_IMAGE).bytes, 6);
        }
}

static void a_file_that_can_not_be_written_is_no_error(void **state)
{
        _cleanup_(freep) char *path = file_in(state);

        assert_int_equal(file_remove(path, NULL), 0);
        assert_int_equal(mkdir(path, 0700), 0);
        builds_remember(BUILD_IMAGE, &(struct build_cost){ .ms = 5000, .bytes = 6 });
        assert_unknown(BUILD_IMAGE);
        assert_int_equal(file_remove(path, NULL), 0);
}

static void costs_are_said_as_people_say_them(void **state)
{
        static const struct {
                struct build_cost cost;
                const char *text;
        } table[] = {
                { { 3000, 0 }, "a few seconds, as last time" },
                { { 41000, INT64_C(90) << 20 }, "about 40 seconds, 90 MiB, as last time" },
                { { 58000, 0 }, "about 1 minute, as last time" },
                { { 238000, INT64_C(900) << 20 }, "about 4 minutes, 900 MiB, as last time" },
                { { 7300000, INT64_C(3) << 30 }, "about 2 hours, 3.0 GiB, as last time" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *text = build_cost_text(&table[i].cost);

                assert_string_equal(text, table[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nothing_is_known_before_the_first_build),
                cmocka_unit_test(the_last_build_is_remembered_beside_the_others),
                cmocka_unit_test(what_can_not_be_used_is_not_known_and_is_replaced),
                cmocka_unit_test(a_file_that_can_not_be_written_is_no_error),
                cmocka_unit_test(costs_are_said_as_people_say_them),
        };

        return cmocka_run_group_tests(tests, use_state, scratch_teardown);
}
