/* Files are read with a limit, and written whole or not at all. See test_file_folder.c for folders, test_file_remove.c for
 * removal. */
#include "scratch.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>

#include "lib/os.h"
#include "lib/process.h"

/* The path of `name` in the test's folder. Owned by the caller. */
static char *in(void **state, const char *name)
{
        return path_join(*state, name);
}

/* The names in a folder, separated by spaces; temporary files would show up here. Owned by the caller. */
static char *names_in(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        assert_int_equal(file_list(folder, &names, NULL), 0);
        return strv_join(&names, " ");
}

static void expect_content(const char *path, const char *text)
{
        _cleanup_(freep) char *content = scratch_read(path);

        assert_string_equal(content, text);
}

static void expect_names(const char *folder, const char *text)
{
        _cleanup_(freep) char *names = names_in(folder);

        assert_string_equal(names, text);
}

static void a_file_is_read_up_to_its_limit(void **state)
{
        static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 200000 };
        _cleanup_(freep) char *path = in(state, "file");
        _cleanup_(freep) char *data = xcalloc(1, 200000);

        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
                _cleanup_(error_freep) struct error *err = NULL;
                _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

                assert_int_equal(file_write(path, data, sizes[i], 0600, NULL), 0);
                strbuf_adds(&out, "before");
                assert_int_equal(file_read(path, sizes[i], &out, NULL), 0);
                assert_int_equal(out.len, 6 + sizes[i]);
                assert_memory_equal(out.buf, "before", 6);
                assert_int_equal(out.buf[out.len], '\0');
                if (sizes[i] == 0)
                        continue;
                /* With one byte too many the buffer stays as it was. */
                strbuf_truncate(&out, 6);
                assert_int_equal(file_read(path, sizes[i] - 1, &out, &err), -1);
                assert_int_equal(err->kind, ERROR_FAILED);
                assert_string_equal(out.buf, "before");
                assert_int_equal(out.len, 6);
        }
}

static void a_file_that_is_too_large_is_named_with_the_limit(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        assert_int_equal(file_read("/dev/zero", 1 << 20, &out, &err), -1);
        assert_error(err, ERROR_FAILED, "'/dev/zero' is larger than 1.0 MiB");
}

static void a_missing_file_is_not_found(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(freep) char *path = in(state, "missing");
        _cleanup_(freep) char *message = xasprintf("cannot open '%s': No such file or directory", path);

        assert_int_equal(file_read(path, 10, &out, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
}

static void what_can_not_be_read_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(freep) char *message = xasprintf("cannot read '%s': Is a directory", (const char *)*state);
        _cleanup_(freep) char *inside = in(state, "file/inside");
        _cleanup_(freep) char *no_folder = xasprintf("cannot open '%s': Not a directory", inside);
        _cleanup_(freep) char *file = in(state, "file");

        strbuf_adds(&out, "before");
        assert_int_equal(file_read(*state, 10, &out, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_string_equal(out.buf, "before");
        scratch_write(file, "");
        assert_int_equal(file_read(inside, 10, &out, &err), -1);
        assert_error(err, ERROR_FAILED, no_folder);
}

static void a_pipe_is_read_to_its_end_in_pieces(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        int ends[2];
        pid_t pid;

        assert_int_equal(os_pipe(ends), 0);
        pid = fork_child();
        if (pid == 0) {
                bool good = write(ends[1], "one ", 4) == 4;

                poll(NULL, 0, 20);
                _exit(good && write(ends[1], "two", 3) == 3 ? 0 : 1);
        }
        close(ends[1]);
        assert_int_equal(file_read_fd(ends[0], "the pipe", 7, &out, NULL), 0);
        assert_string_equal(out.buf, "one two");
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(ends[0]);
}

static void a_written_file_has_its_content_and_mode_whatever_the_umask(void **state)
{
        static const mode_t modes[] = { 0600, 0644, 0755, 0400 };
        _cleanup_(freep) char *path = in(state, "file");
        mode_t before = umask(077);

        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
                assert_int_equal(file_write(path, "a\0b", 3, modes[i], NULL), 0);
                assert_int_equal(scratch_mode(path), modes[i]);
        }
        umask(before);
        expect_content(path, "a");
        assert_int_equal(file_write_text(path, "new", 0600, NULL), 0);
        expect_content(path, "new");
        assert_int_equal(file_write(path, NULL, 0, 0600, NULL), 0);
        expect_content(path, "");
        expect_names(*state, "file");
}

static void a_symlink_is_replaced_not_followed(void **state)
{
        _cleanup_(freep) char *target = in(state, "target");
        _cleanup_(freep) char *link_path = in(state, "link");
        struct stat status;

        scratch_write(target, "untouched");
        assert_int_equal(symlink("target", link_path), 0);
        assert_int_equal(file_write_text(link_path, "new", 0600, NULL), 0);
        expect_content(target, "untouched");
        expect_content(link_path, "new");
        assert_int_equal(lstat(link_path, &status), 0);
        assert_true(S_ISREG(status.st_mode));
}

static void a_write_that_fails_leaves_no_trace(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *missing = in(state, "missing/file");
        _cleanup_(freep) char *missing_message = xasprintf("cannot write '%s': No such file or directory", missing);
        _cleanup_(freep) char *folder = in(state, "folder");
        _cleanup_(freep) char *folder_message = xasprintf("cannot write '%s': Is a directory", folder);

        assert_int_equal(file_write_text(missing, "text", 0600, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, missing_message);
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(file_write_text(folder, "text", 0600, &err), -1);
        assert_error(err, ERROR_FAILED, folder_message);
        expect_names(*state, "folder");
}

/* Runs in a child: writes more than the limit on file sizes allows. */
static int write_too_much(void *path)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *data = xcalloc(1, 1 << 20);

        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, 4096 });
        if (file_write(path, data, 1 << 20, 0600, &err) == 0)
                return 0;
        fputs(err->message, stderr);
        return 3;
}

static int write_too_much_ignoring(void *path)
{
        signal(SIGXFSZ, SIG_IGN);
        return write_too_much(path);
}

static void a_full_disk_leaves_the_old_file(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *path = in(state, "file");
        _cleanup_(freep) char *message = xasprintf("cannot write '%s': File too large", path);
        int status;

        scratch_write(path, "old");
        status = in_child(write_too_much_ignoring, path, &said);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        assert_string_equal(said.buf, message);
        expect_content(path, "old");
        expect_names(*state, "file");
}

static int write_scratch_too_much(void *path)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = xcalloc(1, 1 << 20);

        signal(SIGXFSZ, SIG_IGN);
        memset(text, 'a', (1 << 20) - 1);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, 4096 });
        if (file_write_scratch(path, text, 0600, &err) == 0)
                return 0;
        fputs(err->message, stderr);
        return 3;
}

static void a_full_disk_leaves_no_half_a_file(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *path = in(state, "file");
        int status = in_child(write_scratch_too_much, path, &said);

        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 3);
        expect_names(*state, "");
}

static void a_writer_that_is_killed_in_the_middle_leaves_the_old_file(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *path = in(state, "file");
        int status;

        scratch_write(path, "old");
        status = in_child(write_too_much, path, &said);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGXFSZ);
        expect_content(path, "old");
}

/* Is it one complete version: 300,000 times the same letter? */
static bool is_whole(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(file_read(path, 300000, &text, NULL), 0);
        return text.len == 300000 && strspn(text.buf, "a") + strspn(text.buf, "b") == 300000;
}

static _noreturn_ void keep_writing(const char *path, char *const versions[2])
{
        for (size_t i = 0;; i++)
                if (file_write(path, versions[i % 2], 300000, 0600, NULL) < 0)
                        _exit(1);
}

static void a_reader_sees_one_whole_version_whatever_happens_to_the_writer(void **state)
{
        _cleanup_(freep) char *path = in(state, "file");
        char *versions[2] = { xmalloc(300000), xmalloc(300000) };

        memset(versions[0], 'a', 300000);
        memset(versions[1], 'b', 300000);
        assert_int_equal(file_write(path, versions[0], 300000, 0600, NULL), 0);
        for (int round = 0; round < 10; round++) {
                pid_t pid = fork_child();

                if (pid == 0)
                        keep_writing(path, versions);
                for (int i = 0; i < 20; i++)
                        assert_true(is_whole(path));
                poll(NULL, 0, round);
                assert_int_equal(kill(pid, SIGKILL), 0);
                assert_int_equal(process_wait(pid, -1, NULL, NULL), 1);
                assert_true(is_whole(path));
        }
        free(versions[0]);
        free(versions[1]);
}

static void what_a_killed_writer_left_is_removed_by_the_next(void **state)
{
        _cleanup_(freep) char *path = in(state, "file");
        _cleanup_(freep) char *left = in(state, ".machine-tmp-aaaaaa");
        _cleanup_(freep) char *used = in(state, ".machine-tmp-bbbbbb");
        _cleanup_(freep) char *strange = in(state, ".tmp-cccccc");
        _cleanup_(closep) int fd = -1;

        assert_int_equal(file_write_scratch(left, "half", 0600, NULL), 0);
        assert_int_equal(file_write_scratch(used, "half", 0600, NULL), 0);
        assert_int_equal(file_write_scratch(strange, "somebody's", 0600, NULL), 0);
        fd = open(used, O_RDONLY | O_CLOEXEC);
        assert_int_equal(flock(fd, LOCK_SH), 0);
        assert_int_equal(file_write_text(path, "whole", 0600, NULL), 0);
        expect_names(*state, ".machine-tmp-bbbbbb .tmp-cccccc file");
}

static void a_new_file_takes_nobodys_place(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in(state, "file");
        _cleanup_(freep) char *dangling = in(state, "link");
        _cleanup_(freep) char *exists = xasprintf("'%s' exists", path);
        _cleanup_(freep) char *link_exists = xasprintf("'%s' exists", dangling);

        assert_int_equal(file_write_new(path, "first", 5, 0640, NULL), 0);
        assert_int_equal(scratch_mode(path), 0640);
        assert_int_equal(file_write_new(path, "second", 6, 0600, &err), -1);
        assert_error(err, ERROR_FAILED, exists);
        expect_content(path, "first");
        assert_int_equal(symlink("nowhere", dangling), 0);
        assert_int_equal(file_write_new(dangling, "x", 1, 0600, &err), -1);
        assert_error(err, ERROR_FAILED, link_exists);
        expect_names(*state, "file link");
}

static void a_new_file_in_a_missing_folder_is_not_found(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in(state, "missing/file");
        _cleanup_(freep) char *message = xasprintf("cannot write '%s': No such file or directory", path);

        assert_int_equal(file_write_new(path, "x", 1, 0600, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
}

static void of_many_that_make_a_new_file_one_wins(void **state)
{
        _cleanup_(freep) char *path = in(state, "file");
        pid_t children[8];
        int winners = 0;

        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                children[i] = fork_child();
                if (children[i] == 0)
                        _exit(file_write_new(path, "x", 1, 0600, NULL) == 0 ? 1 : 0);
        }
        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                int status;

                assert_int_equal(waitpid(children[i], &status, 0), children[i]);
                assert_true(WIFEXITED(status));
                winners += WEXITSTATUS(status);
        }
        assert_int_equal(winners, 1);
        expect_names(*state, "file");
}

static void renaming_moves_and_replaces(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *from = in(state, "from");
        _cleanup_(freep) char *folder = in(state, "folder");
        _cleanup_(freep) char *to = in(state, "folder/to");
        _cleanup_(freep) char *message = xasprintf("cannot rename '%s' to '%s': No such file or directory", from, to);

        assert_int_equal(mkdir(folder, 0700), 0);
        scratch_write(from, "new");
        scratch_write(to, "old");
        assert_int_equal(file_rename(from, to, NULL), 0);
        expect_content(to, "new");
        expect_names(*state, "folder");
        assert_int_equal(file_rename(from, to, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, message);
        assert_int_equal(file_rename(to, folder, &err), -1);
        assert_int_equal(err->kind, ERROR_FAILED);
        expect_content(to, "new");
}

static void a_folder_is_synced(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *file = in(state, "file");
        _cleanup_(freep) char *missing = in(state, "missing");
        _cleanup_(freep) char *no_folder = xasprintf("cannot open folder '%s': Not a directory", file);
        _cleanup_(freep) char *not_there = xasprintf("cannot open folder '%s': No such file or directory", missing);

        scratch_write(file, "");
        assert_int_equal(file_sync_folder(*state, NULL), 0);
        assert_int_equal(file_sync_folder(file, &err), -1);
        assert_error(err, ERROR_FAILED, no_folder);
        assert_int_equal(file_sync_folder(missing, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, not_there);
}

static void what_exists_is_told_from_what_is_a_folder(void **state)
{
        _cleanup_(freep) char *file = in(state, "file");
        _cleanup_(freep) char *dangling = in(state, "dangling");
        _cleanup_(freep) char *to_folder = in(state, "to-folder");
        _cleanup_(freep) char *missing = in(state, "missing");

        scratch_write(file, "");
        assert_int_equal(symlink("nowhere", dangling), 0);
        assert_int_equal(symlink(".", to_folder), 0);
        assert_true(file_exists(file) && !file_is_folder(file));
        assert_true(file_exists(dangling) && !file_is_folder(dangling));
        assert_true(file_exists(to_folder) && file_is_folder(to_folder));
        assert_true(file_exists(*state) && file_is_folder(*state));
        assert_false(file_exists(missing) || file_is_folder(missing));
}

static void paths_are_joined_and_taken_apart(void **state)
{
        static const struct {
                const char *path;
                const char *folder;
                const char *base;
        } table[] = {
                { "a/b", "a", "b" },       { "a/b/", "a", "b" },  { "a//b", "a", "b" },  { "a/b///", "a", "b" },
                { "b", ".", "b" },         { "b/", ".", "b" },    { "/b", "/", "b" },    { "//b", "/", "b" },
                { "/a/b/c", "/a/b", "c" }, { "/", "/", "/" },     { "//", "/", "/" },    { "", ".", "." },
                { ".", ".", "." },         { "a/..", "a", ".." }, { "a/.b", "a", ".b" },
        };
        static const struct {
                const char *folder;
                const char *name;
                const char *path;
        } joins[] = {
                { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "/", "b", "/b" }, { "", "b", "b" }, { "a", "b/c", "a/b/c" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *folder = path_folder(table[i].path);
                _cleanup_(freep) char *base = path_base(table[i].path);

                assert_string_equal(folder, table[i].folder);
                assert_string_equal(base, table[i].base);
        }
        for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
                _cleanup_(freep) char *path = path_join(joins[i].folder, joins[i].name);

                assert_string_equal(path, joins[i].path);
        }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_file_is_read_up_to_its_limit),
                TEST(a_file_that_is_too_large_is_named_with_the_limit),
                TEST(a_missing_file_is_not_found),
                TEST(what_can_not_be_read_is_an_error),
                TEST(a_pipe_is_read_to_its_end_in_pieces),
                TEST(a_written_file_has_its_content_and_mode_whatever_the_umask),
                TEST(a_symlink_is_replaced_not_followed),
                TEST(a_write_that_fails_leaves_no_trace),
                TEST(a_full_disk_leaves_the_old_file),
                TEST(a_full_disk_leaves_no_half_a_file),
                TEST(a_writer_that_is_killed_in_the_middle_leaves_the_old_file),
                TEST(a_reader_sees_one_whole_version_whatever_happens_to_the_writer),
                TEST(what_a_killed_writer_left_is_removed_by_the_next),
                TEST(a_new_file_takes_nobodys_place),
                TEST(a_new_file_in_a_missing_folder_is_not_found),
                TEST(of_many_that_make_a_new_file_one_wins),
                TEST(renaming_moves_and_replaces),
                TEST(a_folder_is_synced),
                TEST(what_exists_is_told_from_what_is_a_folder),
                cmocka_unit_test(paths_are_joined_and_taken_apart),
        };

        return cmocka_run_group_tests_name("lib/file", tests, NULL, NULL);
}
