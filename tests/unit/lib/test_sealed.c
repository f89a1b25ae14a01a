/* A sealed file: what was written comes back, and nothing else does. */
#include "scratch.h"

#include "check.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/sealed.h"

static const uint8_t key[SEALED_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[SEALED_KEY_BYTES] = { 1, 2, 4 };

#define MOST (3 * SEALED_BLOCK + 100)

static char *path_of(void **state)
{
        return path_join(*state, "sealed");
}

/* Bytes that are different in each block. */
static void fill(uint8_t *data, size_t length)
{
        for (size_t i = 0; i < length; i++)
                data[i] = (uint8_t)(i * 31 + i / SEALED_BLOCK);
}

static void write_sealed(const char *path, const uint8_t *data, size_t length, size_t piece)
{
        _cleanup_(closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        struct sealed sealed = SEALED_INIT;

        assert_true(fd >= 0);
        assert_int_equal(sealed_begin(&sealed, fd, key, NULL), 0);
        for (size_t at = 0; at < length; at += piece)
                assert_int_equal(sealed_write(&sealed, data + at, length - at < piece ? length - at : piece, NULL), 0);
        assert_int_equal(sealed_end(&sealed, NULL), 0);
        sealed_clear(&sealed);
}

/* Returns 0 when all of it was read, and was the same. */
static int read_sealed(const char *path, const uint8_t *with, const uint8_t *data, size_t length)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) uint8_t *got = xmalloc(length + 1);
        struct sealed sealed = SEALED_INIT;
        int status = sealed_open(&sealed, fd, with, NULL);

        if (status == 0)
                status = sealed_read(&sealed, got, length, NULL);
        if (status == 0)
                status = sealed_finish(&sealed, NULL);
        sealed_clear(&sealed);
        if (status == 0)
                assert_memory_equal(got, data, length);
        return status;
}

static void what_was_written_comes_back_however_long_it_is(void **state)
{
        static const size_t lengths[] = { 0, 1, SEALED_BLOCK - 1, SEALED_BLOCK, SEALED_BLOCK + 1, 2 * SEALED_BLOCK, MOST };
        _cleanup_(freep) uint8_t *data = xmalloc(MOST);
        _cleanup_(freep) char *path = path_of(state);

        fill(data, MOST);
        for (size_t i = 0; i < ARRAY_SIZE(lengths); i++)
                for (size_t piece = 7919; piece <= MOST; piece *= 5) {
                        write_sealed(path, data, lengths[i], piece);
                        assert_int_equal(read_sealed(path, key, data, lengths[i]), 0);
                }
}

static void what_is_not_all_read_is_no_end(void **state)
{
        _cleanup_(freep) uint8_t *data = xmalloc(MOST);
        _cleanup_(freep) char *path = path_of(state);

        fill(data, MOST);
        write_sealed(path, data, MOST, MOST);
        assert_int_equal(read_sealed(path, key, data, MOST - 1), -1);
        assert_int_equal(read_sealed(path, key, data, MOST + 1), -1);
        assert_int_equal(read_sealed(path, key, data, SEALED_BLOCK), -1);
}

static void another_key_reads_nothing(void **state)
{
        _cleanup_(freep) char *path = path_of(state);
        uint8_t data[100];

        fill(data, sizeof(data));
        write_sealed(path, data, sizeof(data), sizeof(data));
        assert_int_equal(read_sealed(path, other_key, data, sizeof(data)), -1);
        assert_int_equal(read_sealed(path, other_key, data, 0), -1);
}

static void the_file_shows_nothing_of_the_content(void **state)
{
        static const char mark[] = "no-byte-of-this.";
        _cleanup_(strbuf_clear) struct strbuf file = STRBUF_INIT;
        _cleanup_(freep) uint8_t *data = xcalloc(1, MOST);
        _cleanup_(freep) char *path = path_of(state);

        for (size_t at = 0; at < MOST; at++)
                data[at] = (uint8_t)mark[at % (sizeof(mark) - 1)];
        write_sealed(path, data, MOST, MOST);
        assert_int_equal(file_read(path, 2 * MOST, &file, NULL), 0);
        assert_true(file.len > MOST);
        assert_null(memmem(file.buf, file.len, "no-byte-", 8));
}

/* Each change of a byte, each cut, and blocks that change places. */
static void a_changed_file_is_refused(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;
        _cleanup_(freep) uint8_t *data = xmalloc(MOST);
        _cleanup_(freep) char *path = path_of(state);
        const size_t sealed_block = SEALED_BLOCK + crypto_secretstream_xchacha20poly1305_ABYTES;
        const size_t head = crypto_secretstream_xchacha20poly1305_HEADERBYTES;

        fill(data, MOST);
        write_sealed(path, data, MOST, MOST);
        assert_int_equal(file_read(path, 2 * MOST, &whole, NULL), 0);
        for (size_t at = 0; at < whole.len; at += 4093) {
                whole.buf[at] ^= 1;
                assert_int_equal(file_write(path, whole.buf, whole.len, 0600, NULL), 0);
                assert_int_equal(read_sealed(path, key, data, MOST), -1);
                whole.buf[at] ^= 1;
                assert_int_equal(file_write(path, whole.buf, at, 0600, NULL), 0);
                assert_int_equal(read_sealed(path, key, data, MOST), -1);
        }
        assert_int_equal(file_write(path, whole.buf, whole.len, 0600, NULL), 0);
        assert_int_equal(read_sealed(path, key, data, MOST), 0);
        for (size_t i = 0; i < sealed_block; i++) {
                char kept = whole.buf[head + i];

                whole.buf[head + i] = whole.buf[head + sealed_block + i];
                whole.buf[head + sealed_block + i] = kept;
        }
        assert_int_equal(file_write(path, whole.buf, whole.len, 0600, NULL), 0);
        assert_int_equal(read_sealed(path, key, data, MOST), -1);
}

static void a_file_that_goes_on_is_refused(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf whole = STRBUF_INIT;
        _cleanup_(freep) char *path = path_of(state);
        uint8_t data[100];

        fill(data, sizeof(data));
        write_sealed(path, data, sizeof(data), sizeof(data));
        assert_int_equal(file_read(path, MOST, &whole, NULL), 0);
        strbuf_addc(&whole, 'x');
        assert_int_equal(file_write(path, whole.buf, whole.len, 0600, NULL), 0);
        assert_int_equal(read_sealed(path, key, data, sizeof(data)), -1);
}

static void a_disk_without_room_is_said(void **state _unused_)
{
        _cleanup_(closep) int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
        _cleanup_(error_freep) struct error *err = NULL;
        struct sealed sealed = SEALED_INIT;

        if (fd < 0)
                skip();
        assert_int_equal(sealed_begin(&sealed, fd, key, &err), -1);
        assert_true(error_is_no_room(err));
        sealed_clear(&sealed);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_was_written_comes_back_however_long_it_is),
                TEST(what_is_not_all_read_is_no_end),
                TEST(another_key_reads_nothing),
                TEST(the_file_shows_nothing_of_the_content),
                TEST(a_changed_file_is_refused),
                TEST(a_file_that_goes_on_is_refused),
                TEST(a_disk_without_room_is_said),
        };

        return cmocka_run_group_tests_name("lib/sealed", tests, NULL, NULL);
}
