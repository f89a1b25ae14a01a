/* SHA-256 over parts, texts and files. */
#include "scratch.h"

#include "check.h"

#include <sys/wait.h>

#include "lib/hash.h"
#include "lib/process.h"

#define SHA256_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_OF_ABC     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* NIST's example */

/* The hash of texts, which may be NULL, up to "end". */
static char *hash_of(const char *first, ...)
{
        struct hash hash;
        va_list args;

        hash_init(&hash);
        va_start(args, first);
        for (const char *text = first; !streq_ptr(text, "end"); text = va_arg(args, const char *))
                hash_add_text(&hash, text);
        va_end(args);
        return hash_hex(&hash);
}

static void a_text_has_the_hash_that_the_standard_gives(void **state)
{
        _cleanup_(freep) char *nothing = hash_text("", 0);
        _cleanup_(freep) char *abc = hash_text("abc", 3);

        assert_string_equal(nothing, SHA256_OF_NOTHING);
        assert_string_equal(abc, SHA256_OF_ABC);
        assert_int_equal(strlen(abc), HASH_HEX_LENGTH);
}

static void parts_are_told_apart(void **state)
{
        _cleanup_(strv_clear) struct strv all = STRV_INIT;

        strv_take(&all, hash_of("end"));
        strv_take(&all, hash_of("", "end"));
        strv_take(&all, hash_of("", "", "end"));
        strv_take(&all, hash_of(NULL, "end"));
        strv_take(&all, hash_of("abc", "end"));
        strv_take(&all, hash_of("ab", "c", "end"));
        strv_take(&all, hash_of("a", "bc", "end"));
        strv_take(&all, hash_of("abc", "", "end"));
        strv_take(&all, hash_of("abc", NULL, "end"));
        strv_take(&all, hash_of(NULL, "abc", "end"));
        strv_sort(&all);
        for (size_t i = 1; i < all.count; i++)
                assert_string_not_equal(all.items[i - 1], all.items[i]);
}

static void the_same_parts_give_the_same_hash(void **state)
{
        _cleanup_(freep) char *one = hash_of("a", NULL, "b", "end");
        _cleanup_(freep) char *two = hash_of("a", NULL, "b", "end");

        assert_string_equal(one, two);
}

static void data_counts_as_a_text_of_the_same_bytes(void **state)
{
        _cleanup_(freep) char *text = hash_of("abc", "end");
        _cleanup_(freep) char *data = NULL;
        _cleanup_(freep) char *with_nul = NULL;
        struct hash hash;

        hash_init(&hash);
        hash_add(&hash, "abc", 3);
        data = hash_hex(&hash);
        hash_init(&hash);
        hash_add(&hash, "abc\0", 4);
        with_nul = hash_hex(&hash);
        assert_string_equal(data, text);
        assert_string_not_equal(with_nul, text);
}

/* A layer's name must be the same in every later version, or all layers would be built again. */
static void the_form_of_parts_never_changes(void **state)
{
        _cleanup_(freep) char *parts = hash_of("ab", NULL, "end");
        _cleanup_(freep) char *bytes = hash_text("d\2\0\0\0\0\0\0\0abn\0\0\0\0\0\0\0\0", 20);

        assert_string_equal(parts, bytes);
}

static char *hash_with_file(const char *path)
{
        struct hash hash;

        hash_init(&hash);
        assert_int_equal(hash_add_file(&hash, path, NULL), 0);
        return hash_hex(&hash);
}

static void a_file_counts_by_its_content_alone(void **state)
{
        _cleanup_(freep) char *one = path_join(*state, "one");
        _cleanup_(freep) char *two = path_join(*state, "two");
        _cleanup_(freep) char *empty = path_join(*state, "empty");
        _cleanup_(freep) char *hash_one = NULL;
        _cleanup_(freep) char *hash_two = NULL;
        _cleanup_(freep) char *hash_empty = NULL;
        _cleanup_(freep) char *as_text = hash_of("content", "end");
        _cleanup_(freep) char *no_text = hash_of("", "end");
        _cleanup_(freep) char *as_digest = NULL;
        unsigned char digest[crypto_hash_sha256_BYTES];
        struct hash hash;

        assert_int_equal(file_write_text(one, "content", 0600, NULL), 0);
        assert_int_equal(file_write_text(two, "content", 0755, NULL), 0);
        assert_int_equal(file_write_text(empty, "", 0600, NULL), 0);
        hash_one = hash_with_file(one);
        hash_two = hash_with_file(two);
        hash_empty = hash_with_file(empty);
        assert_string_equal(hash_one, hash_two);
        assert_string_not_equal(hash_one, hash_empty);
        /* No text can pass for the file, not even its digest. */
        crypto_hash_sha256(digest, (const unsigned char *)"content", 7);
        hash_init(&hash);
        hash_add(&hash, digest, sizeof(digest));
        as_digest = hash_hex(&hash);
        assert_string_not_equal(hash_one, as_digest);
        assert_string_not_equal(hash_one, as_text);
        assert_string_not_equal(hash_empty, no_text);
}

static void a_file_has_the_hash_that_sha256sum_prints(void **state)
{
        static const size_t sizes[] = { 0, 3, 128 * 1024 - 1, 128 * 1024, 128 * 1024 + 1, 1 << 20 };
        _cleanup_(freep) char *path = path_join(*state, "file");
        _cleanup_(freep) char *data = xcalloc(1, 1 << 20);

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                const char *const argv[] = { "sha256sum", path, NULL };
                _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
                _cleanup_(freep) char *hex = NULL;
                _cleanup_(freep) char *same = hash_text(data, sizes[i]);

                assert_int_equal(file_write(path, data, sizes[i], 0600, NULL), 0);
                assert_int_equal(hash_file(path, &hex, NULL), 0);
                assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, &said, NULL), 0);
                assert_memory_equal(said.buf, hex, HASH_HEX_LENGTH);
                assert_string_equal(hex, same);
        }
}

static void a_missing_file_is_not_found_and_changes_nothing(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = path_join(*state, "missing");
        _cleanup_(freep) char *message = xasprintf("cannot open '%s': No such file or directory", path);
        _cleanup_(freep) char *nothing = hash_of("end");
        _cleanup_(freep) char *after = NULL;
        char *hex = NULL;
        struct hash hash;

        assert_int_equal(hash_file(path, &hex, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
        assert_null(hex);
        hash_init(&hash);
        assert_int_equal(hash_add_file(&hash, path, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
        after = hash_hex(&hash);
        assert_string_equal(after, nothing);
}

static void a_folder_is_no_file(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *message = xasprintf("cannot read '%s': Is a directory", (const char *)*state);
        char *hex = NULL;

        assert_int_equal(hash_file(*state, &hex, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_null(hex);
}

#define SCRATCH(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_text_has_the_hash_that_the_standard_gives),
                cmocka_unit_test(parts_are_told_apart),
                cmocka_unit_test(the_same_parts_give_the_same_hash),
                cmocka_unit_test(data_counts_as_a_text_of_the_same_bytes),
                cmocka_unit_test(the_form_of_parts_never_changes),
                SCRATCH(a_file_counts_by_its_content_alone),
                SCRATCH(a_file_has_the_hash_that_sha256sum_prints),
                SCRATCH(a_missing_file_is_not_found_and_changes_nothing),
                SCRATCH(a_folder_is_no_file),
        };

        return cmocka_run_group_tests_name("lib/hash", tests, NULL, NULL);
}
