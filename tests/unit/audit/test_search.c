/* A secret is found wherever it is in a file, and nowhere else. */
#include "scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include "audit/search.h"

#define WANTED "0123456789abcdef-what-is-looked-for"
#define MIB    (1 << 20)

/* A file of 4 MiB, most of it other text, with `text` at `offset`. */
static void put(const char *path, const char *text, size_t offset)
{
        _cleanup_(freep) char *data = xcalloc(4, MIB);

        for (size_t i = 0; i < (size_t)4 * MIB; i++)
                data[i] = WANTED[i % 16];
        for (size_t i = 0; text[i]; i++)
                data[offset + i] = text[i];
        assert_int_equal(file_write(path, data, (size_t)4 * MIB, 0600, NULL), 0);
}

static void look(const char *folder, struct search *search)
{
        struct secret wanted = { .data = (char *)WANTED, .length = strlen(WANTED) };

        free(search->found);
        *search = (struct search){ .wanted = &wanted };
        assert_int_equal(search_folder(folder, search, NULL), 0);
        search->wanted = NULL;
}

static void it_is_found_wherever_a_read_begins(void **state)
{
        const char *root = *state;
        static const size_t offsets[] = {
                0, 5, MIB - 1, MIB, MIB - 17, 2 * MIB - 34, 2 * MIB - 70, 4 * MIB - (sizeof(WANTED) - 1)
        };
        _cleanup_(freep) char *below = path_join(root, "a/b");
        _cleanup_(freep) char *path = path_join(below, "file");
        struct search search = { 0 };

        assert_int_equal(file_make_folders(below, 0700, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
                print_message("at %zu\n", offsets[i]);
                put(path, WANTED, offsets[i]);
                look(root, &search);
                assert_non_null(search.found);
                assert_string_equal(search.found, path);
        }
        put(path, "0123456789abcdef-what-is-looked-fo", 77);
        look(root, &search);
        assert_null(search.found);
        assert_int_equal(search.bytes, 4 * MIB);
}

static void behind_a_hole_it_is_found_too(void **state)
{
        const char *root = *state;
        _cleanup_(freep) char *path = path_join(root, "sparse");
        struct search search = { 0 };

        assert_int_equal(file_write_text(path, "x", 0600, NULL), 0);
        assert_int_equal(truncate(path, (off_t)64 * MIB), 0);
        look(root, &search);
        assert_null(search.found);
        {
                _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

                assert_int_equal(pwrite(fd, WANTED, strlen(WANTED), (off_t)50 * MIB + 3), strlen(WANTED));
        }
        look(root, &search);
        assert_string_equal(search.found, path);
        free(search.found);
}

static void what_is_elsewhere_is_not_looked_at(void **state)
{
        const char *root = *state;
        _cleanup_(freep) char *inner = path_join(root, "inner");
        _cleanup_(freep) char *missing = path_join(root, "missing");
        _cleanup_(freep) char *link = path_join(inner, "link");
        _cleanup_(freep) char *path = path_join(root, "outer");
        struct search search = { 0 };

        assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
        put(path, WANTED, 1);
        assert_int_equal(symlink(path, link), 0);
        look(inner, &search);
        assert_null(search.found);
        look(missing, &search);
        assert_null(search.found);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_is_found_wherever_a_read_begins),
                cmocka_unit_test(behind_a_hole_it_is_found_too),
                cmocka_unit_test(what_is_elsewhere_is_not_looked_at),
        };

        return cmocka_run_group_tests_name("audit/search", tests, scratch_setup, scratch_teardown);
}
