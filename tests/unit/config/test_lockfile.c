/* machine.lock: it is written sorted, read back the same, and has nothing in it that could pass for something else. */
#include "config/lockfile.h"

#include "mistakes.h"

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char sample[] = "# Written by machine: what the recipe resolved to at its first run. Commit it with the recipe.\n"
                             "# `machine lock --update` has everything resolved again.\n"
                             "\n[amd64.base]\nkernel = \"6.12\"\nsuite = \"trixie\"\n"
                             "\n[amd64.downloads]\n\"https://example.org/a\" = \"" SHA "\"\n"
                             "\n[amd64.versions.\"base/apt\"]\n\"g++\" = \"4:14\"\njq = \"1.7\"\n"
                             "\n[arm64.versions.\"base/apt\"]\njq = \"1.6\"\n";

static void the_same_entries_give_the_same_text_in_any_order(void **state)
{
        _cleanup_(lockfile_clear) struct lockfile lock = { .path = xstrdup("machine.lock") };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(lockfile_set(&lock, "arm64", LOCK_VERSIONS, "base/apt", "jq", "1.6", NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "jq", "1.5", NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_DOWNLOADS, "", "https://example.org/a", SHA, NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "g++", "4:14", NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_BASE, "", "suite", "trixie", NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_BASE, "", "kernel", "6.12", NULL), 0);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "jq", "1.7", NULL), 0);
        lockfile_text(&lock, &text);
        assert_string_equal(text.buf, sample);
}

static void what_is_written_is_read_back(void **state)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(lockfile_parse(sample, strlen(sample), "machine.lock", &lock, NULL), 0);
        assert_string_equal(lockfile_get(&lock, "amd64", LOCK_VERSIONS, "base/apt", "jq"), "1.7");
        assert_string_equal(lockfile_get(&lock, "arm64", LOCK_VERSIONS, "base/apt", "jq"), "1.6");
        assert_string_equal(lockfile_get(&lock, "amd64", LOCK_DOWNLOADS, "", "https://example.org/a"), SHA);
        assert_null(lockfile_get(&lock, "arm64", LOCK_BASE, "", "suite"));
        lockfile_text(&lock, &text);
        assert_string_equal(text.buf, sample);
}

static void what_is_to_be_resolved_anew_is_dropped(void **state)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;

        assert_int_equal(lockfile_parse(sample, strlen(sample), "machine.lock", &lock, NULL), 0);
        assert_int_equal(lockfile_drop_download(&lock, "https://example.org/a"), 1);
        assert_int_equal(lockfile_drop(&lock, "base/apt"), 3);
        assert_int_equal(lockfile_drop(&lock, "base/apt"), 0);
        assert_string_equal(lockfile_get(&lock, "amd64", LOCK_BASE, "", "suite"), "trixie");
        assert_int_equal(lockfile_drop(&lock, NULL), 2);
        assert_int_equal(lock.count, 0);
}

static void a_guests_word_can_not_break_the_file(void **state)
{
        _cleanup_(lockfile_clear) struct lockfile lock = { .path = xstrdup("machine.lock") };
        _cleanup_(lockfile_clear) struct lockfile again = LOCKFILE_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        static const char evil[] = "1\"\\]";

        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "a\n[x]", "1", NULL), -1);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", "", "1", NULL), -1);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_DOWNLOADS, "", "https://example.org", "abc", NULL), -1);
        assert_int_equal(lockfile_set(&lock, "amd64", LOCK_VERSIONS, "base/apt", evil, evil, NULL), 0);
        lockfile_text(&lock, &text);
        assert_int_equal(lockfile_parse(text.buf, text.len, "machine.lock", &again, NULL), 0);
        assert_string_equal(lockfile_get(&again, "amd64", LOCK_VERSIONS, "base/apt", evil), evil);
}

static void mistakes_have_their_places(void **state)
{
        static const char text[] = "[amd64.download]\n[amd64.downloads]\n\"https://x\" = \"1\"\n[amd64.versions]\na = 1\n";
        struct lockfile lock = LOCKFILE_INIT;
        struct error *error = NULL;
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(lockfile_parse(text, strlen(text), "machine.lock", &lock, &error), -1);
        said = mistakes_text(error);
        error_free(error);
        assert_non_null(
                strstr(said, "machine.lock:1:8: 'download' is not one of the tables 'base', 'downloads' and 'versions'"));
        assert_non_null(strstr(said, "machine.lock:3:15: "));
        assert_non_null(strstr(said, "machine.lock:5:1: 'a' must be a table of versions"));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_same_entries_give_the_same_text_in_any_order),
                cmocka_unit_test(what_is_written_is_read_back),
                cmocka_unit_test(what_is_to_be_resolved_anew_is_dropped),
                cmocka_unit_test(a_guests_word_can_not_break_the_file),
                cmocka_unit_test(mistakes_have_their_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
