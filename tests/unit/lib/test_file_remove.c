/* file_remove() removes everything inside and nothing outside. */
#include "scratch.h"

#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Replaces a call of file_remove(), to change the tree at the worst moment: after it has looked, and before it opens. */
static const char *swapped_name; /* which folder is swapped; NULL = none */
static const char *swapped_path; /* where it is … */
static const char *swapped_for;  /* … and what takes its place */

static int openat_after_swap(int folder, const char *name, int flags)
{
        if (swapped_name && streq(name, swapped_name)) {
                swapped_name = NULL;
                assert_int_equal(renameat2(AT_FDCWD, swapped_path, AT_FDCWD, swapped_for, RENAME_EXCHANGE), 0);
        }
        return openat(folder, name, flags);
}

#define openat openat_after_swap
#include "lib/file-remove.c" /* NOLINT(bugprone-suspicious-include) */
#undef openat

static char *in(void **state, const char *name)
{
        return path_join(*state, name);
}

static void make(void **state, const char *name, const char *text)
{
        _cleanup_(freep) char *path = in(state, name);
        _cleanup_(freep) char *folder = path_folder(path);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(path, text);
}

static void expect_gone(const char *path)
{
        assert_int_equal(file_remove(path, NULL), 0);
        assert_false(file_exists(path));
}

static void a_missing_thing_is_removed_already(void **state)
{
        _cleanup_(freep) char *path = in(state, "missing");
        _cleanup_(freep) char *deeper = in(state, "missing/deeper/still");

        expect_gone(path);
        expect_gone(deeper);
}

static void every_kind_of_file_is_removed(void **state)
{
        _cleanup_(freep) char *tree = in(state, "tree");
        _cleanup_(freep) char *deep = in(state, "tree/a/b/c");
        _cleanup_(freep) char *fifo = in(state, "tree/a/fifo");
        _cleanup_(freep) char *dangling = in(state, "tree/a/dangling");
        _cleanup_(freep) char *single = in(state, "single");
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        make(state, "single", "");
        expect_gone(single);
        make(state, "tree/file", "text");
        make(state, "tree/.hidden", "text");
        make(state, "tree/a/odd\nname", "text");
        assert_int_equal(file_make_folders(deep, 0700, NULL), 0);
        assert_int_equal(mkfifo(fifo, 0600), 0);
        assert_int_equal(symlink("nowhere", dangling), 0);
        assert_true(snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", tree) < 100);
        assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        close(fd);
        expect_gone(tree);
}

static void a_tree_that_is_deep_and_wide_is_removed(void **state)
{
        _cleanup_(freep) char *tree = in(state, "tree");
        _cleanup_(strbuf_clear) struct strbuf path = STRBUF_INIT;

        for (int i = 0; i < 3000; i++) {
                _cleanup_(freep) char *name = xasprintf("%s/%d", tree, i);

                assert_int_equal(file_make_folders(name, 0700, NULL), 0);
        }
        strbuf_adds(&path, tree);
        for (int i = 0; i < 300; i++)
                strbuf_adds(&path, "/deep");
        assert_int_equal(file_make_folders(path.buf, 0700, NULL), 0);
        expect_gone(tree);
}

static void a_symlink_goes_and_what_it_names_stays(void **state)
{
        _cleanup_(freep) char *tree = in(state, "tree");
        _cleanup_(freep) char *outside = in(state, "outside");
        _cleanup_(freep) char *kept = in(state, "outside/kept");
        _cleanup_(freep) char *to_file = in(state, "tree/to-file");
        _cleanup_(freep) char *to_folder = in(state, "tree/to-folder");
        _cleanup_(freep) char *to_parent = in(state, "tree/to-parent");
        _cleanup_(freep) char *top = in(state, "top");
        _cleanup_(freep) char *top_with_slash = in(state, "top/");

        make(state, "outside/kept", "text");
        make(state, "tree/file", "");
        assert_int_equal(symlink(kept, to_file), 0);
        assert_int_equal(symlink(outside, to_folder), 0);
        assert_int_equal(symlink("..", to_parent), 0);
        assert_int_equal(symlink("outside", top), 0);
        expect_gone(tree);
        assert_int_equal(file_remove(top_with_slash, NULL), 0);
        assert_false(file_exists(top));
        assert_true(file_exists(kept));
}

static void a_folder_swapped_for_a_symlink_leads_nowhere(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *tree = in(state, "tree");
        _cleanup_(freep) char *victim = in(state, "tree/a/victim");
        _cleanup_(freep) char *spare = in(state, "spare");
        _cleanup_(freep) char *kept = in(state, "outside/kept");
        _cleanup_(freep) char *message = xasprintf("cannot open folder '%s': Not a directory", victim);

        make(state, "tree/a/victim/kept", "text");
        make(state, "outside/kept", "text");
        assert_int_equal(symlink("../../outside", spare), 0);
        swapped_name = "victim";
        swapped_path = victim;
        swapped_for = spare;
        assert_int_equal(file_remove(tree, &err), -1);
        assert_null(swapped_name);
        assert_error(err, ERROR_FAILED, message);
        assert_true(file_exists(kept));
        /* The next time the link is seen as a link. */
        expect_gone(tree);
        assert_true(file_exists(kept));
}

/* Here the path to the folder changes while the folder is emptied. The opened folder stays the same. */
static void a_swapped_parent_leads_nowhere(void **state)
{
        _cleanup_(freep) char *tree = in(state, "tree");
        _cleanup_(freep) char *parent = in(state, "tree/a");
        _cleanup_(freep) char *spare = in(state, "spare");
        _cleanup_(freep) char *kept = in(state, "outside/victim/kept");
        _cleanup_(freep) char *removed = in(state, "spare/victim");

        make(state, "tree/a/victim/kept", "text");
        make(state, "outside/victim/kept", "text");
        assert_int_equal(symlink("../outside", spare), 0);
        swapped_name = "victim";
        swapped_path = parent;
        swapped_for = spare;
        assert_int_equal(file_remove(tree, NULL), -1);
        assert_null(swapped_name);
        assert_true(file_exists(kept));
        assert_false(file_exists(removed));
}

static void two_that_remove_the_same_tree_both_succeed(void **state)
{
        _cleanup_(freep) char *tree = in(state, "tree");

        for (int round = 0; round < 10; round++) {
                int status;
                pid_t pid;

                for (int i = 0; i < 50; i++) {
                        _cleanup_(freep) char *path = xasprintf("%s/%d/%d/%d", tree, i % 5, i % 10, i);

                        assert_int_equal(file_make_folders(path, 0700, NULL), 0);
                }
                pid = fork_child();
                if (pid == 0)
                        _exit(file_remove(tree, NULL) == 0 ? 0 : 1);
                assert_int_equal(file_remove(tree, NULL), 0);
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_int_equal(status, 0);
                assert_false(file_exists(tree));
        }
}

static void what_names_no_single_thing_is_refused(void **state)
{
        static const char *const paths[] = { "", "/", "//", ".", "..", "./", "../", "a/.", "a/..", "/..", "a/../" };

        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                _cleanup_(error_freep) struct error *err = NULL;
                _cleanup_(freep) char *message = xasprintf("refusing to remove '%s'", paths[i]);

                assert_int_equal(file_remove(paths[i], &err), -1);
                assert_error(err, ERROR_FAILED, message);
        }
}

static void a_path_through_a_file_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *file = in(state, "file");
        _cleanup_(freep) char *inside = in(state, "file/inside");
        _cleanup_(freep) char *message = xasprintf("cannot open folder '%s': Not a directory", file);

        make(state, "file", "");
        assert_int_equal(file_remove(inside, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_true(file_exists(file));
}

/* Runs `function` in a child that is not root, in its own folder. */
static void as_a_mere_user(int (*function)(void *folder))
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        char folder[] = "/tmp/machine-test-XXXXXX";
        int status;

        assert_non_null(mkdtemp(folder));
        if (geteuid() == 0)
                assert_int_equal(chown(folder, 65534, 65534), 0);
        status = in_child(function, folder, &said);
        assert_int_equal(file_remove(folder, NULL), 0);
        if (status != 0)
                fail_msg("status %d: %s", status, said.buf);
}

static void drop_root(void)
{
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
                _exit(100);
}

static int complain(struct error *err)
{
        _cleanup_(freep) char *text = error_text(err);

        fputs(text, stderr);
        return 1;
}

static int remove_closed_folders(void *folder)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *tree = path_join(folder, "tree");
        _cleanup_(freep) char *closed = path_join(folder, "tree/closed/closed");
        _cleanup_(freep) char *file = path_join(closed, "file");
        _cleanup_(freep) char *read_only = path_join(folder, "tree/read-only");
        _cleanup_(freep) char *other = path_join(read_only, "file");
        _cleanup_(freep) char *above = path_folder(closed);

        drop_root();
        if (file_make_folders(closed, 0700, &err) < 0 || file_write_text(file, "", 0400, &err) < 0 ||
            file_make_folders(read_only, 0700, &err) < 0 || file_write_text(other, "", 0400, &err) < 0)
                return complain(err);
        if (chmod(closed, 0) < 0 || chmod(above, 0) < 0 || chmod(read_only, 0500) < 0)
                return 2;
        if (file_remove(tree, &err) < 0)
                return complain(err);
        return file_exists(tree) ? 3 : 0;
}

static void our_own_folders_are_opened_to_be_emptied(void **state)
{
        as_a_mere_user(remove_closed_folders);
}

static int remove_from_read_only_folder(void *folder)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *parent = path_join(folder, "parent");
        _cleanup_(freep) char *file = path_join(parent, "file");
        _cleanup_(freep) char *message = xasprintf("cannot remove '%s': Permission denied", file);

        drop_root();
        if (file_make_folders(parent, 0700, &err) < 0 || file_write_text(file, "", 0600, &err) < 0)
                return complain(err);
        if (chmod(parent, 0500) < 0 || file_remove(file, &err) == 0)
                return 2;
        if (!streq(err->message, message) || err->kind != ERROR_FAILED)
                return complain(err);
        return chmod(parent, 0700) < 0 || !file_exists(file) ? 3 : 0;
}

static void what_may_not_be_removed_is_named(void **state)
{
        as_a_mere_user(remove_from_read_only_folder);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_missing_thing_is_removed_already),
                TEST(every_kind_of_file_is_removed),
                TEST(a_tree_that_is_deep_and_wide_is_removed),
                TEST(a_symlink_goes_and_what_it_names_stays),
                TEST(a_folder_swapped_for_a_symlink_leads_nowhere),
                TEST(a_swapped_parent_leads_nowhere),
                TEST(two_that_remove_the_same_tree_both_succeed),
                cmocka_unit_test(what_names_no_single_thing_is_refused),
                TEST(a_path_through_a_file_is_an_error),
                cmocka_unit_test(our_own_folders_are_opened_to_be_emptied),
                cmocka_unit_test(what_may_not_be_removed_is_named),
        };

        return cmocka_run_group_tests_name("lib/file-remove", tests, NULL, NULL);
}
