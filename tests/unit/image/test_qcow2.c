/* The header of a disk that a guest may have written. A disk that names another file, or has more than we ask for, is refused.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/process.h"

#define LAYER     "/layers/1/disk.qcow2"
#define GIB       (INT64_C(1) << 30)
#define FILE_SIZE 196704

static char folder[] = "/tmp/machine-qcow2.XXXXXX";

static int set_up(void **state)
{
        return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
        return file_remove(folder, NULL);
}

/* Makes a header as qemu-img does: version 3, on LAYER, 6 GiB. */
static char *make(const char *name, const char *more)
{
        char *path = path_join(folder, name);
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "qemu-img", "create", "-q", "-u", "-f", "qcow2", NULL);
        if (more)
                strv_adds(&argv, "-o", more, NULL);
        strv_adds(&argv, "-b", LAYER, "-F", "qcow2", path, "6G", NULL);
        assert_int_equal(process_check(&(struct process_spec){ .argv = strv_argv(&argv) }, NULL, NULL), 0);
        return path;
}

/* Writes `value` in `bytes` bytes, the most significant first. */
static void put(const char *path, off_t at, size_t bytes, uint64_t value)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

        for (size_t i = 0; i < bytes; i++) {
                unsigned char byte = (unsigned char)(value >> (8 * (bytes - 1 - i)));

                assert_int_equal(pwrite(fd, &byte, 1, at + (off_t)i), 1);
        }
}

static void put_text(const char *path, off_t at, const char *text)
{
        for (; *text; text++)
                put(path, at++, 1, (unsigned char)*text);
}

static int check(const char *path, struct error **err)
{
        return qcow2_check(path, &(struct qcow2_wish){ .backing = LAYER, .least = 6 * GIB, .most = 6 * GIB }, NULL, err);
}

static void assert_says(const struct error *error, const char *wanted)
{
        _cleanup_(freep) char *text = error_text(error);

        if (!strstr(text, wanted))
                fail_msg("'%s' doesn't say '%s'", text, wanted);
}

static void a_disk_as_it_is_made_is_one(void **state)
{
        _cleanup_(freep) char *new = make("new", NULL);
        _cleanup_(freep) char *old = make("old", "compat=0.10");
        _cleanup_(error_freep) struct error *error = NULL;
        int64_t bytes = 0;

        assert_int_equal(check(new, NULL), 0);
        assert_int_equal(check(old, NULL), 0);
        assert_int_equal(qcow2_check(new, &(struct qcow2_wish){ .backing = LAYER, .most = 7 * GIB }, &bytes, NULL), 0);
        assert_true(bytes == 6 * GIB);
        assert_int_equal(qcow2_check(new, &(struct qcow2_wish){ .backing = LAYER, .most = 5 * GIB }, &bytes, &error), -1);
        assert_says(error, "its size is 6442450944 bytes, which is more than it was made with");
}

static const struct {
        off_t at;
        size_t bytes;
        uint64_t value;
        const char *says;
} changes[] = {
        { 0, 4, 0, "it is not a qcow2 disk" },
        { 4, 4, 1, "its version is neither 2 nor 3" },
        { 4, 4, 4, "its version is neither 2 nor 3" },
        { 8, 8, 0, "it stands on nothing instead of '" LAYER "'" },
        { 8, 8, UINT64_MAX, "the name of its backing file is not in its header" },
        { 16, 4, 0, "the name of its backing file is not in its header" },
        { 16, 4, UINT32_MAX, "the name of its backing file is not in its header" },
        { 20, 4, 8, "its clusters have an invalid size" },
        { 20, 4, 63, "its clusters have an invalid size" },
        { 24, 8, GIB, "its size is 1073741824 bytes, which is less than it was made with" },
        { 24, 8, 6 * GIB + 512, "its size is more than its tables hold" },
        { 24, 8, UINT64_C(1) << 62, "its size is more than its tables hold" },
        { 24, 8, UINT64_MAX, "its size is more than its tables hold" },
        { 32, 4, 2, "it is encrypted" },
        { 36, 4, UINT32_MAX, "its size is more than its tables hold" },
        { 40, 8, 1 << 20, "its tables are not inside the file" },
        { 40, 8, UINT64_MAX, "its tables are not inside the file" },
        { 48, 8, 512, "its tables are not inside the file" },
        { 56, 4, UINT32_MAX, "its tables are not inside the file" },
        { 60, 4, 1, "it has snapshots inside" },
        { 72, 8, 4, "its data is in another file" },
        { 72, 8, UINT64_C(1) << 63, "it has features that it was not made with" },
        { 88, 8, 2, "it has features that it was not made with" },
        { 96, 4, 7, "its reference counts have an invalid size" },
        { 100, 4, 8, "its header has an invalid length" },
        { 100, 4, UINT32_MAX - 7, "its header doesn't end" },
        { 112, 4, 0x44415441, "its data is in another file" },
        { 112, 4, 0x0537be77, "it has features that it was not made with" },
        { 116, 4, UINT32_MAX, "its header doesn't end" },
        { 116, 4, 0x40000, "its header doesn't end" },
        { 121, 1, 'x', "its backing file has another format" },
};

static void a_header_that_was_changed_is_refused_and_says_in_what(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                _cleanup_(freep) char *path = make("disk", NULL);
                _cleanup_(error_freep) struct error *error = NULL;

                put(path, changes[i].at, changes[i].bytes, changes[i].value);
                assert_int_equal(check(path, &error), -1);
                assert_says(error, changes[i].says);
                assert_int_equal(error->kind, ERROR_ENGINE);
        }
}

static void another_name_of_the_same_length_is_refused_and_shown_without_control_characters(void **state)
{
        _cleanup_(freep) char *path = make("name", NULL);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(error_freep) struct error *second = NULL;

        put_text(path, 0x210, "json:{\"x\":\033[2J}");
        assert_int_equal(check(path, &error), -1);
        assert_says(error, "it stands on 'json:{\"x\":\\x1b[2J}");
        put(path, 0x212, 1, 0);
        assert_int_equal(check(path, &second), -1);
        assert_says(second, "the name of its backing file is not text");
}

static void what_should_stand_alone_stands_on_nothing(void **state)
{
        _cleanup_(freep) char *path = make("alone", NULL);
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(qcow2_check(path, &(struct qcow2_wish){ .most = 6 * GIB }, NULL, &error), -1);
        assert_says(error, "it stands on '" LAYER "' instead of nothing");
}

static void no_link_pipe_or_folder_is_opened(void **state)
{
        _cleanup_(freep) char *disk = make("behind", NULL);
        _cleanup_(freep) char *link = path_join(folder, "link");
        _cleanup_(freep) char *pipe = path_join(folder, "pipe");

        assert_int_equal(symlink(disk, link), 0);
        assert_int_equal(mkfifo(pipe, 0600), 0);
        assert_int_equal(check(link, NULL), -1);
        assert_int_equal(check(pipe, NULL), -1);
        assert_int_equal(check(folder, NULL), -1);
        assert_int_equal(check("/nowhere", NULL), -1);
}

static void a_disk_that_is_cut_off_anywhere_is_refused(void **state)
{
        static const off_t lengths[] = { 0, 3, 71, 103, 111, 130, 512, 65536, FILE_SIZE - 1 };

        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
                _cleanup_(freep) char *path = make("short", NULL);

                assert_int_equal(truncate(path, lengths[i]), 0);
                assert_int_equal(check(path, NULL), -1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_disk_as_it_is_made_is_one),
                cmocka_unit_test(a_header_that_was_changed_is_refused_and_says_in_what),
                cmocka_unit_test(another_name_of_the_same_length_is_refused_and_shown_without_control_characters),
                cmocka_unit_test(what_should_stand_alone_stands_on_nothing),
                cmocka_unit_test(no_link_pipe_or_folder_is_opened),
                cmocka_unit_test(a_disk_that_is_cut_off_anywhere_is_refused),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
