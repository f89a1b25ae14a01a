/* Command lines are read by a table. */
#include "check.h"

#include "lib/option.h"

struct options {
        bool yes, quiet, dry_run;
        const char *name;
        int64_t cpus, offset;
        struct strv allow;
};

static const struct option table[] = {
        OPTION(struct options, yes, "yes", 'y', OPTION_FLAG, NULL, "ask nothing"),
        OPTION(struct options, quiet, "quiet", 'q', OPTION_FLAG, NULL, "print errors only"),
        OPTION(struct options, dry_run, "dry-run", 0, OPTION_FLAG, NULL, "print what would happen"),
        OPTION(struct options, name, "name", 'n', OPTION_TEXT, "NAME", "the VM's name"),
        { .name = "cpus",
          .letter = 'c',
          .type = OPTION_INTEGER,
          .value_name = "NUMBER",
          .help = "processors of the VM",
          .offset = offsetof(struct options, cpus),
          .low = 1,
          .high = 64 },
        OPTION(struct options, offset, "offset", 0, OPTION_INTEGER, "NUMBER", "any number"),
        OPTION(struct options, allow, "allow", 'a', OPTION_TEXTS, "NAME", "a name, and another"),
        { 0 },
};

/* The result of one command line. */
struct read {
        struct options options;
        struct strv operands;
        ssize_t dashes;
        struct error *err;
        int status;
};

static void read_clear(struct read *read)
{
        option_clear(table, &read->options);
        strv_clear(&read->operands);
        error_free(read->err);
}

static struct read read_words(bool stop_at_operand, const char *const *words)
{
        struct read read = { .dashes = -42 };

        read.status = option_parse(table, words, stop_at_operand, &read.options, &read.operands, &read.dashes, &read.err);
        return read;
}

#define READ(...)      read_words(false, (const char *const[]){ __VA_ARGS__, NULL })
#define READ_HEAD(...) read_words(true, (const char *const[]){ __VA_ARGS__, NULL })

static void expect_operands(const struct read *read, const char *text)
{
        _cleanup_(freep) char *operands = strv_join(&read->operands, "|");

        assert_int_equal(read->status, 0);
        assert_null(read->err);
        assert_string_equal(operands, text);
}

static void expect_refusal(const char *const *words, const char *message, const char *hint)
{
        _cleanup_(read_clear) struct read read = read_words(false, words);

        assert_int_equal(read.status, -1);
        assert_error(read.err, ERROR_USAGE, message);
        if (!streq_ptr(read.err->hint, hint))
                fail_msg("the hint is '%s'", read.err->hint ? read.err->hint : "(none)");
        assert_int_equal(read.dashes, -42);
}

#define REFUSE(message, hint, ...) expect_refusal((const char *const[]){ __VA_ARGS__, NULL }, message, hint)

static void an_empty_line_changes_nothing(void **state)
{
        static const char *const none[] = { NULL };
        _cleanup_(read_clear) struct read read = read_words(false, none);

        expect_operands(&read, "");
        assert_int_equal(read.dashes, -1);
        assert_false(read.options.yes || read.options.quiet || read.options.dry_run);
        assert_null(read.options.name);
        assert_int_equal(read.options.cpus, 0);
}

static void every_form_of_an_option_is_read(void **state)
{
        _cleanup_(read_clear) struct read flags = READ("-y", "--quiet", "--dry-run");
        _cleanup_(read_clear) struct read bundled = READ("-yq");
        _cleanup_(read_clear) struct read value = READ("-n", "blog", "-c", "4");
        _cleanup_(read_clear) struct read attached = READ("-nblog", "-c4");
        _cleanup_(read_clear) struct read names = READ("--name", "blog", "--cpus", "4");
        _cleanup_(read_clear) struct read equals = READ("--name=blog", "--cpus=4");
        _cleanup_(read_clear) struct read mixed = READ("-yqnblog", "-qc", "4");

        assert_true(flags.options.yes && flags.options.quiet && flags.options.dry_run);
        assert_true(bundled.options.yes && bundled.options.quiet && !bundled.options.dry_run);
        for (size_t i = 0; i < 5; i++) {
                const struct read *read = (const struct read *[]){ &value, &attached, &names, &equals, &mixed }[i];

                expect_operands(read, "");
                assert_string_equal(read->options.name, "blog");
                assert_int_equal(read->options.cpus, 4);
        }
        assert_true(mixed.options.yes && mixed.options.quiet);
}

static void a_value_may_look_like_anything(void **state)
{
        _cleanup_(read_clear) struct read option = READ("--name", "--yes");
        _cleanup_(read_clear) struct read dashes = READ("-n", "--", "x");
        _cleanup_(read_clear) struct read empty = READ("--name=");
        _cleanup_(read_clear) struct read equals = READ("--name=a=b");
        _cleanup_(read_clear) struct read negative = READ("--offset", "-5");

        assert_string_equal(option.options.name, "--yes");
        assert_false(option.options.yes);
        assert_string_equal(dashes.options.name, "--");
        expect_operands(&dashes, "x");
        assert_string_equal(empty.options.name, "");
        assert_string_equal(equals.options.name, "a=b");
        assert_int_equal(negative.options.offset, -5);
}

static void the_last_of_several_counts(void **state)
{
        _cleanup_(read_clear) struct read read = READ("-n", "one", "--name=two");

        assert_string_equal(read.options.name, "two");
}

static void of_a_list_all_count(void **state)
{
        _cleanup_(read_clear) struct read read = READ("--allow", "one", "x", "-a", "two", "-athree", "--allow=one");
        _cleanup_(read_clear) struct read none = READ("x");
        _cleanup_(freep) char *names = strv_join(&read.options.allow, "|");

        expect_operands(&read, "x");
        assert_string_equal(names, "one|two|three|one");
        assert_int_equal(none.options.allow.count, 0);
        option_clear(table, &read.options);
        assert_int_equal(read.options.allow.count, 0);
        REFUSE("option '--allow' needs a value: NAME", NULL, "--allow");
}

static void options_and_operands_may_be_mixed(void **state)
{
        _cleanup_(read_clear) struct read read = READ("one", "-y", "two", "-", "--name", "x", "", "three");

        expect_operands(&read, "one|two|-||three");
        assert_true(read.options.yes);
        assert_string_equal(read.options.name, "x");
        assert_int_equal(read.dashes, -1);
}

static void two_dashes_end_the_options(void **state)
{
        _cleanup_(read_clear) struct read read = READ("one", "--", "-y", "--", "--name");
        _cleanup_(read_clear) struct read first = READ("--", "one");
        _cleanup_(read_clear) struct read last = READ("one", "two", "--");

        expect_operands(&read, "one|-y|--|--name");
        assert_int_equal(read.dashes, 1);
        assert_false(read.options.yes);
        expect_operands(&first, "one");
        assert_int_equal(first.dashes, 0);
        expect_operands(&last, "one|two");
        assert_int_equal(last.dashes, 2);
}

static void the_tail_behind_an_operand_can_be_somebody_elses(void **state)
{
        _cleanup_(read_clear) struct read tail = READ_HEAD("-y", "blog", "git", "log", "-q", "--", "file");
        _cleanup_(read_clear) struct read set_off = READ_HEAD("blog", "--", "git", "-q", "--", "file");
        _cleanup_(read_clear) struct read before = READ_HEAD("--", "blog", "--", "-q");
        _cleanup_(read_clear) struct read alone = READ_HEAD("blog");

        expect_operands(&tail, "blog|git|log|-q|--|file");
        assert_true(tail.options.yes);
        assert_false(tail.options.quiet);
        assert_int_equal(tail.dashes, -1);
        expect_operands(&set_off, "blog|git|-q|--|file");
        assert_false(set_off.options.quiet);
        assert_int_equal(set_off.dashes, 1);
        expect_operands(&before, "blog|--|-q");
        assert_int_equal(before.dashes, 0);
        expect_operands(&alone, "blog");
        assert_int_equal(alone.dashes, -1);
}

static void operands_come_behind_those_that_are_there(void **state)
{
        static const char *const words[] = { "b", "--", "c", NULL };
        _cleanup_(strv_clear) struct strv operands = STRV_INIT;
        struct options options = { 0 };
        ssize_t dashes = 0;

        strv_add(&operands, "a");
        assert_int_equal(option_parse(table, words, false, &options, &operands, &dashes, NULL), 0);
        assert_int_equal(operands.count, 3);
        assert_int_equal(dashes, 1);
        assert_int_equal(option_parse(table, words, false, &options, &operands, NULL, NULL), 0);
}

static void an_unknown_option_gets_a_suggestion(void **state)
{
        REFUSE("unknown option '--nmae'", "did you mean '--name'?", "--nmae");
        REFUSE("unknown option '--quite'", "did you mean '--quiet'?", "--quite=5");
        REFUSE("unknown option '--dry'", "did you mean '--dry-run'?", "--dry"); /* its beginning */
        REFUSE("unknown option '--frobnicate'", NULL, "--frobnicate");
        REFUSE("unknown option '--'", NULL, "--=x");
        REFUSE("unknown option '-x'", NULL, "-yx");
        REFUSE("unknown option '-o'", "did you mean '--offset'?", "-offset"); /* one dash too few */
        REFUSE("unknown option '-1'", NULL, "-1");
}

static void a_missing_or_needless_value_is_refused(void **state)
{
        REFUSE("option '--name' needs a value: NAME", NULL, "--name");
        REFUSE("option '--name' needs a value: NAME", NULL, "x", "-yn");
        REFUSE("option '--cpus' needs a value: NUMBER", NULL, "--cpus");
        REFUSE("option '--yes' takes no value", NULL, "--yes=1");
        REFUSE("option '--yes' takes no value", NULL, "--yes=");
}

static void a_number_outside_its_range_is_refused(void **state)
{
        static const char *const outside[] = { "0", "65", "-1", "", "four", "4 ", "4.0", "99999999999999999999" };
        _cleanup_(read_clear) struct read least = READ("--cpus", "1");
        _cleanup_(read_clear) struct read most = READ("--cpus", "64");
        _cleanup_(read_clear) struct read any = READ("--offset", "-9223372036854775808");

        assert_int_equal(least.options.cpus, 1);
        assert_int_equal(most.options.cpus, 64);
        assert_true(any.options.offset == INT64_MIN);
        for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
                _cleanup_(freep) char *message =
                        xasprintf("option '--cpus' wants a whole number from 1 to 64, not '%s'", outside[i]);

                REFUSE(message, NULL, "--cpus", outside[i]);
        }
        REFUSE("option '--offset' wants a whole number, not '1e3'", NULL, "--offset=1e3");
}

static void the_help_is_the_table_aligned(void **state)
{
        static const struct option none[] = { { 0 } };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf nothing = STRBUF_INIT;

        option_help(table, &out);
        assert_string_equal(out.buf, "  -y, --yes            ask nothing\n"
                                     "  -q, --quiet          print errors only\n"
                                     "      --dry-run        print what would happen\n"
                                     "  -n, --name NAME      the VM's name\n"
                                     "  -c, --cpus NUMBER    processors of the VM\n"
                                     "      --offset NUMBER  any number\n"
                                     "  -a, --allow NAME     a name, and another\n");
        option_help(none, &nothing);
        assert_string_equal(nothing.buf, "");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_line_changes_nothing),
                cmocka_unit_test(every_form_of_an_option_is_read),
                cmocka_unit_test(a_value_may_look_like_anything),
                cmocka_unit_test(the_last_of_several_counts),
                cmocka_unit_test(of_a_list_all_count),
                cmocka_unit_test(options_and_operands_may_be_mixed),
                cmocka_unit_test(two_dashes_end_the_options),
                cmocka_unit_test(the_tail_behind_an_operand_can_be_somebody_elses),
                cmocka_unit_test(operands_come_behind_those_that_are_there),
                cmocka_unit_test(an_unknown_option_gets_a_suggestion),
                cmocka_unit_test(a_missing_or_needless_value_is_refused),
                cmocka_unit_test(a_number_outside_its_range_is_refused),
                cmocka_unit_test(the_help_is_the_table_aligned),
        };

        return cmocka_run_group_tests_name("lib/option", tests, NULL, NULL);
}
