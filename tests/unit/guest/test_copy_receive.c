/* A guest may send anything for a copy. Only what was asked for is written, and only in its place. */
#include "../host/scratch.h"

#include <fcntl.h>
#include <unistd.h>

#include "guest/copy-stream.h"

static void add(struct strbuf *out, char letter, const char *front, size_t front_length, const char *name)
{
        uint32_t length = (uint32_t)(front_length + strlen(name));

        strbuf_addc(out, letter);
        for (int shift = 24; shift >= 0; shift -= 8)
                strbuf_addc(out, (char)(length >> shift));
        strbuf_add(out, front, front_length);
        strbuf_adds(out, name);
}

static void folder(struct strbuf *out, const char *name)
{
        add(out, 'D', "\0\0\1\355", 4, name); /* 0755 */
}

static void file(struct strbuf *out, char size, const char *name)
{
        const char front[12] = { 0, 0, 1, (char)0244, [11] = size }; /* 0644 */

        add(out, 'F', front, sizeof(front), name);
}

static void bytes(struct strbuf *out, char at, const char *text)
{
        const char front[8] = { [7] = at };

        add(out, 'B', front, sizeof(front), text);
}

static void end(struct strbuf *out, char letter)
{
        add(out, letter, "", 0, "");
}

/* Receives `sent` in `where`/nest, with a limit of 64 KiB. */
static int receive(const char *where, const struct strbuf *sent, bool repos, struct error **err)
{
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        struct copy_wish wish = { .recursive = true, .repos = repos, .most = 64 << 10 };
        _cleanup_(freep) char *nest = path_join(where, "nest");
        _cleanup_(freep) char *input = path_join(where, "input");
        _cleanup_(closep) int fd = -1;

        assert_int_equal(file_remove(nest, NULL), 0);
        assert_int_equal(file_make_folders(nest, 0700, NULL), 0);
        assert_int_equal(file_write(input, sent->buf, sent->len, 0600, NULL), 0);
        fd = open(nest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        copy_stream_of(open(input, O_RDONLY | O_CLOEXEC), &stream);
        return copy_receive(&stream, fd, &wish, err);
}

/* Checks that the nest has only "copy" or nothing, and that only the input is beside the nest. */
static void assert_nothing_else(const char *where)
{
        _cleanup_(strv_clear) struct strv beside = STRV_INIT;
        _cleanup_(strv_clear) struct strv inside = STRV_INIT;
        _cleanup_(freep) char *nest = path_join(where, "nest");

        assert_int_equal(file_list(where, &beside, NULL), 0);
        assert_int_equal(beside.count, 2);
        assert_int_equal(file_list(nest, &inside, NULL), 0);
        assert_true(inside.count == 0 || (inside.count == 1 && streq(inside.items[0], "copy")));
}

static void a_folder_comes_as_it_is(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
        _cleanup_(freep) char *one = path_join(*state, "nest/copy/inner/one");
        _cleanup_(freep) char *two = path_join(*state, "nest/copy/two");
        _cleanup_(freep) char *text = NULL;
        struct stat status;

        folder(&sent, "");
        folder(&sent, "inner");
        file(&sent, 4, "one");
        bytes(&sent, 0, "1");
        bytes(&sent, 2, "3\n");
        end(&sent, 'U');
        file(&sent, 100, "two");
        end(&sent, 'U');
        end(&sent, 'Z');
        assert_int_equal(receive(*state, &sent, false, NULL), 0);
        text = scratch_read(one);
        assert_string_equal(text, "1"); /* a hole follows */
        assert_int_equal(stat(one, &status), 0);
        assert_int_equal(status.st_size, 4);
        assert_int_equal(stat(two, &status), 0);
        assert_int_equal(status.st_size, 100);
        assert_int_equal(status.st_blocks, 0);
        assert_nothing_else(*state);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
        static const char *const names[] = { "..", ".", "../x", "/tmp/machine-copy-outside", "a/b", "", "a\nb", "\033[2J" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                for (int kind = 0; kind < 2; kind++) {
                        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
                        _cleanup_(error_freep) struct error *err = NULL;

                        folder(&sent, "");
                        if (kind == 0)
                                file(&sent, 1, names[i]);
                        else
                                folder(&sent, names[i]);
                        assert_int_equal(receive(*state, &sent, true, &err), -1);
                        assert_null(strpbrk(err->message, "\n\033"));
                        assert_nothing_else(*state);
                }
}

static void what_is_no_copy_is_refused(void **state)
{
        struct strbuf cases[9] = { 0 };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                cases[i] = (struct strbuf)STRBUF_INIT;
        file(&cases[0], 1, "named"); /* the copy itself must have no name */
        end(&cases[1], 'Z');         /* an empty copy */
        bytes(&cases[2], 0, "x");    /* bytes without a file */
        end(&cases[3], 'U');         /* an end without a folder */
        file(&cases[4], 1, "");      /* two files */
        file(&cases[4], 1, "");
        file(&cases[5], 1, ""); /* more bytes than its size */
        bytes(&cases[5], 0, "xx");
        file(&cases[6], 9, ""); /* bytes at a place that was written already */
        bytes(&cases[6], 4, "xx");
        bytes(&cases[6], 5, "x");
        folder(&cases[7], ""); /* a folder that isn't ended */
        end(&cases[7], 'Z');
        strbuf_adds(&cases[8], "Welcome to this guest!\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(receive(*state, &cases[i], true, &err), -1);
                assert_non_null(strstr(err->message, "the guest"));
                assert_nothing_else(*state);
                strbuf_clear(&cases[i]);
        }
}

static void one_name_comes_once(void **state)
{
        for (int kinds = 0; kinds < 4; kinds++) {
                _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                folder(&sent, "");
                for (int i = 0; i < 2; i++)
                        if (kinds >> i & 1) {
                                folder(&sent, "x");
                                end(&sent, 'U');
                        } else {
                                file(&sent, 1, "x");
                        }
                assert_int_equal(receive(*state, &sent, false, &err), -1);
                assert_non_null(strstr(err->message, kinds >> 1 ? "cannot make 'x'" : "cannot write 'x'"));
        }
}

static void no_file_runs_with_the_rights_of_its_owner(void **state)
{
        static const char all[12] = { 0, 0, 017, (char)0377 }; /* 07777, and no bytes */
        static const char *const names[] = { "nest/copy", "nest/copy/x" };
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;

        add(&sent, 'D', all, 4, "");
        add(&sent, 'F', all, sizeof(all), "x");
        end(&sent, 'U');
        end(&sent, 'Z');
        assert_int_equal(receive(*state, &sent, false, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(*state, names[i]);

                assert_int_equal(scratch_mode(path) & 07000, 0);
        }
}

static void more_than_was_allowed_is_refused_before_it_comes(void **state)
{
        static const char huge[12] = { 0, 0, 1, (char)0244, 0, 0, 0, 0, 0, 1, 0, 1 }; /* 64 KiB + 1 */
        static const char endless[12] = { 0, 0, 1, (char)0244, -1, -1, -1, -1, -1, -1, -1, -1 };
        _cleanup_(strbuf_clear) struct strbuf one = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf negative = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf many = STRBUF_INIT;
        const struct strbuf *const cases[] = { &one, &negative, &many };

        add(&one, 'F', huge, sizeof(huge), "");
        add(&negative, 'F', endless, sizeof(endless), "");
        folder(&many, "");
        for (int i = 0; i < 20; i++) {
                _cleanup_(freep) char *name = xasprintf("%d", i);

                file(&many, 0, name);
        }
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(receive(*state, cases[i], false, &err), -1);
                assert_string_equal(err->message, "it is larger than 64 KiB");
        }
}

static void a_folder_in_a_folder_without_end_has_one(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;

        folder(&sent, "");
        for (int i = 0; i < 300; i++)
                folder(&sent, "x");
        assert_int_equal(receive(*state, &sent, false, NULL), -1);
        assert_nothing_else(*state);
}

static void a_repository_is_refused_unless_it_was_asked_for(void **state)
{
        static const char *const repos[][3] = { { ".git" },         { ".GIT" },
                                                { ".hg" },          { "HEAD", "objects" },
                                                { "refs", "HEAD" }, { "HEAD", "commondir" } };

        for (size_t i = 0; i < ARRAY_SIZE(repos); i++) {
                _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                folder(&sent, "");
                for (size_t j = 0; repos[i][j]; j++)
                        file(&sent, 0, repos[i][j]);
                end(&sent, 'U');
                end(&sent, 'Z');
                assert_int_equal(receive(*state, &sent, false, &err), -1);
                assert_non_null(strstr(err->message, "it has a repository"));
                assert_int_equal(receive(*state, &sent, true, NULL), 0);
        }
}

static void what_the_guest_says_of_a_failure_is_shown(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        add(&sent, 'X', "", 0, "cannot find 'x\033[2J'");
        assert_int_equal(receive(*state, &sent, false, &err), -1);
        assert_string_equal(err->message, "cannot find 'x\\x1b[2J'");
}

/* `machine cp` without -r */
static void a_folder_comes_only_when_that_is_wished(void **state)
{
        _cleanup_(copy_stream_clear) struct copy_stream stream = COPY_STREAM_INIT;
        struct copy_wish wish = { .most = 64 << 10 };
        _cleanup_(strbuf_clear) struct strbuf sent = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *input = path_join(*state, "input");
        _cleanup_(closep) int fd = -1;

        folder(&sent, "");
        assert_int_equal(file_write(input, sent.buf, sent.len, 0600, NULL), 0);
        fd = open(*state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        copy_stream_of(open(input, O_RDONLY | O_CLOEXEC), &stream);
        assert_int_equal(copy_receive(&stream, fd, &wish, &err), -1);
        assert_string_equal(err->message, "it is a folder");
        assert_string_equal(err->hint, "machine cp -r copies folders");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_folder_comes_as_it_is),
                cmocka_unit_test(names_that_lead_elsewhere_are_refused),
                cmocka_unit_test(what_is_no_copy_is_refused),
                cmocka_unit_test(a_folder_comes_only_when_that_is_wished),
                cmocka_unit_test(one_name_comes_once),
                cmocka_unit_test(no_file_runs_with_the_rights_of_its_owner),
                cmocka_unit_test(more_than_was_allowed_is_refused_before_it_comes),
                cmocka_unit_test(a_folder_in_a_folder_without_end_has_one),
                cmocka_unit_test(a_repository_is_refused_unless_it_was_asked_for),
                cmocka_unit_test(what_the_guest_says_of_a_failure_is_shown),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
