/* What files take on the disk: allocated blocks, each file once. */
#include "check.h"
#include "scratch.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "lib/usage.h"

#define KIB INT64_C(1024)

/* A file of `length` bytes, of which the first `written` are there. */
static char *make_file(const char *folder, const char *name, size_t written, off_t length)
{
        char *path = path_join(folder, name);
        _cleanup_(freep) char *data = xcalloc(1, written + 1);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        assert_true(fd >= 0);
        memset(data, 'x', written);
        assert_int_equal(write(fd, data, written), written);
        assert_int_equal(ftruncate(fd, length), 0);
        assert_int_equal(fsync(fd), 0);
        close(fd);
        return path;
}

static int64_t blocks_of(const char *path)
{
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        return (int64_t)status.st_blocks * 512;
}

static void a_hole_takes_nothing(void **state)
{
        _cleanup_(freep) char *sparse = make_file(*state, "sparse", 64 * KIB, 1 << 30);

        assert_true(usage_of(sparse) >= 64 * KIB && usage_of(sparse) < 1024 * KIB);
        assert_int_equal(usage_of(sparse), blocks_of(sparse));
}

static void a_folder_has_all_that_is_in_it(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "one");
        _cleanup_(freep) char *inner = path_join(folder, "two");

        assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
        {
                _cleanup_(freep) char *first = make_file(folder, "first", 8 * KIB, 8 * KIB);
                _cleanup_(freep) char *second = make_file(inner, "second", 16 * KIB, 16 * KIB);

                assert_int_equal(usage_of(folder), blocks_of(folder) + blocks_of(inner) + blocks_of(first) + blocks_of(second));
        }
}

static void a_file_with_two_names_counts_once(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "names");
        _cleanup_(freep) char *other = path_join(folder, "other");

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        {
                _cleanup_(freep) char *first = make_file(folder, "first", 64 * KIB, 64 * KIB);
                int64_t before = usage_of(folder);

                assert_int_equal(link(first, other), 0);
                assert_int_equal(usage_of(folder), before);
        }
}

static void what_was_added_before_is_not_added_again(void **state)
{
        _cleanup_(usage_clear) struct usage usage = USAGE_INIT;
        _cleanup_(freep) char *folder = path_join(*state, "parts");
        _cleanup_(freep) char *logs = path_join(folder, "logs");

        assert_int_equal(file_make_folders(logs, 0700, NULL), 0);
        for (int i = 0; i < 200; i++) {
                char name[16];

                snprintf(name, sizeof(name), "log-%d", i);
                free(make_file(logs, name, 4 * KIB, 4 * KIB));
        }
        {
                int64_t whole = usage_of(folder), part = usage_add(&usage, logs);

                assert_true(part >= 800 * KIB);
                assert_int_equal(part + usage_add(&usage, folder), whole);
                assert_int_equal(usage_add(&usage, folder), 0);
        }
        assert_int_equal(usage.unread.count, 0);
}

static void a_link_leads_nowhere(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "with-link");
        _cleanup_(freep) char *elsewhere = path_join(*state, "elsewhere");
        _cleanup_(freep) char *link_path = path_join(folder, "link");

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(file_make_folders(elsewhere, 0700, NULL), 0);
        free(make_file(elsewhere, "large", 256 * KIB, 256 * KIB));
        assert_int_equal(symlink(elsewhere, link_path), 0);
        assert_true(usage_of(folder) < 64 * KIB);
}

static void what_is_missing_takes_nothing(void **state)
{
        _cleanup_(freep) char *path = path_join(*state, "missing");

        assert_int_equal(usage_of(path), 0);
}

static void a_folder_that_cannot_be_read_is_named(void **state)
{
        _cleanup_(usage_clear) struct usage usage = USAGE_INIT;
        _cleanup_(freep) char *folder = NULL;

        if (geteuid() == 0)
                skip();
        folder = path_join(*state, "closed");
        assert_int_equal(mkdir(folder, 0), 0);
        usage_add(&usage, folder);
        assert_int_equal(usage.unread.count, 1);
        assert_string_equal(usage.unread.items[0], folder);
        assert_int_equal(chmod(folder, 0700), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_hole_takes_nothing),
                TEST(a_folder_has_all_that_is_in_it),
                TEST(a_file_with_two_names_counts_once),
                TEST(what_was_added_before_is_not_added_again),
                TEST(a_link_leads_nowhere),
                TEST(what_is_missing_takes_nothing),
                TEST(a_folder_that_cannot_be_read_is_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
