/* Folders are made with their parents, kept private, and listed. */
#include "scratch.h"

#include "check.h"
#include "lib/process.h"

/* The path of `name` in the test's folder. Owned by the caller. */
static char *in(void **state, const char *name)
{
        return path_join(*state, name);
}

static void folders_are_made_with_their_parents(void **state)
{
        static const char *const names[] = { "a", "b/c/d", "b/c/e/", "f//g", "b/./h", "b" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = in(state, names[i]);

                assert_int_equal(file_make_folders(path, 0700, NULL), 0);
                assert_true(file_is_folder(path));
                assert_int_equal(scratch_mode(path), 0700);
                assert_int_equal(file_make_folders(path, 0755, NULL), 0);
                assert_int_equal(scratch_mode(path), 0700); /* left alone */
        }
}

static void a_symlink_to_a_folder_counts_as_one(void **state)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *link_path = in(state, "link");
        _cleanup_(freep) char *below = in(state, "link/below");
        _cleanup_(freep) char *real = in(state, "real");

        assert_int_equal(mkdir(real, 0700), 0);
        assert_int_equal(symlink("real", link_path), 0);
        assert_int_equal(file_make_folders(link_path, 0700, NULL), 0);
        assert_int_equal(file_make_folders(below, 0700, NULL), 0);
        assert_int_equal(file_list(real, &names, NULL), 0);
        assert_true(strv_contains(&names, "below"));
}

static void a_folder_that_can_not_be_made_is_an_error(void **state)
{
        static const struct {
                const char *name;
                const char *reason;
        } table[] = {
                { "file", "File exists" },
                { "file/below", "Not a directory" },
                { "dangling", "File exists" },
                { "dangling/below", "No such file or directory" },
        };
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *file = in(state, "file");
        _cleanup_(freep) char *dangling = in(state, "dangling");

        scratch_write(file, "");
        assert_int_equal(symlink("nowhere", dangling), 0);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *path = in(state, table[i].name);
                _cleanup_(freep) char *message = xasprintf("cannot make folder '%s': %s", path, table[i].reason);

                assert_int_equal(file_make_folders(path, 0700, &err), -1);
                assert_error(err, ERROR_FAILED, message);
        }
        assert_int_equal(file_make_folders("", 0700, &err), -1);
        assert_error(err, ERROR_FAILED, "cannot make folder '': No such file or directory");
}

static void many_may_make_the_same_folders_at_once(void **state)
{
        _cleanup_(freep) char *path = in(state, "a/b/c/d/e/f");
        pid_t children[8];

        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                children[i] = fork_child();
                if (children[i] == 0)
                        _exit(file_make_folders(path, 0700, NULL) == 0 ? 0 : 1);
        }
        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                int status;

                assert_int_equal(waitpid(children[i], &status, 0), children[i]);
                assert_int_equal(status, 0);
        }
}

static void a_private_folder_is_ours_and_nobody_elses(void **state)
{
        _cleanup_(freep) char *path = in(state, "a/private/");

        assert_int_equal(file_make_private_folder(path, NULL), 0);
        assert_int_equal(scratch_mode(path), 0700);
        assert_int_equal(file_make_private_folder(path, NULL), 0);
        assert_int_equal(chmod(path, 0500), 0);
        assert_int_equal(file_make_private_folder(path, NULL), 0);
}

static void a_folder_open_to_others_is_not_private(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in(state, "the folder");
        _cleanup_(freep) char *message = xasprintf("folder '%s' is open to other users (mode 0750)", path);
        _cleanup_(freep) char *hint = xasprintf("chmod 700 -- '%s'", path);

        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chmod(path, 0750), 0);
        assert_int_equal(file_make_private_folder(path, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_string_equal(err->hint, hint);
        assert_int_equal(scratch_mode(path), 0750);
        assert_int_equal(chmod(path, 0701), 0);
        assert_int_equal(file_make_private_folder(path, &err), -1);
}

static void a_symlink_is_no_private_folder(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in(state, "link");
        _cleanup_(freep) char *with_slash = in(state, "link/");
        _cleanup_(freep) char *message = xasprintf("'%s' is a symlink, but must be a real folder", path);

        assert_int_equal(symlink(".", path), 0);
        assert_int_equal(file_make_private_folder(path, &err), -1);
        assert_error(err, ERROR_FAILED, message);
        assert_int_equal(file_make_private_folder(with_slash, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

static void a_folder_of_another_user_is_not_private(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = in(state, "folder");
        _cleanup_(freep) char *message = xasprintf("folder '%s' belongs to another user", path);

        if (geteuid() != 0) {
                print_message("skipped: only root can give a folder away\n");
                skip();
        }
        assert_int_equal(mkdir(path, 0700), 0);
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(file_make_private_folder(path, &err), -1);
        assert_error(err, ERROR_FAILED, message);
}

/* What a shell does with such a command loses nothing, also when it is given again. */
static void what_is_in_the_way_is_moved_to_a_name_that_is_free(void **state)
{
        static const char *const contents[] = { "one", "two", "three" };
        static const char *const asides[] = { "it's $HOME.off", "it's $HOME.off-2", "it's $HOME.off-3" };
        _cleanup_(freep) char *path = in(state, "it's $HOME");

        for (size_t i = 0; i < ARRAY_SIZE(contents); i++) {
                _cleanup_(freep) char *command = NULL;

                scratch_write(path, contents[i]);
                command = file_aside_command(path);
                assert_int_equal(process_check(&(struct process_spec){ .argv = (const char *const[]){ "sh", "-c", command,
                                                                                                      NULL } },
                                               NULL, NULL),
                                 0);
                assert_false(file_exists(path));
        }
        for (size_t i = 0; i < ARRAY_SIZE(asides); i++) {
                _cleanup_(freep) char *aside = in(state, asides[i]);
                _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

                assert_int_equal(file_read(aside, 100, &content, NULL), 0);
                assert_string_equal(content.buf, contents[i]);
        }
}

static void a_list_is_sorted_and_whole(void **state)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *joined = NULL;
        static const char *const files[] = { "b", ".hidden", "A", "..odd", "a" };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_(freep) char *path = in(state, files[i]);

                scratch_write(path, "");
        }
        strv_add(&names, "zero");
        assert_int_equal(file_list(*state, &names, NULL), 0);
        joined = strv_join(&names, " ");
        assert_string_equal(joined, "zero ..odd .hidden A a b");
}

static void a_list_that_can_not_be_had_is_an_error(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *missing = in(state, "missing");
        _cleanup_(freep) char *not_there = xasprintf("cannot open folder '%s': No such file or directory", missing);
        _cleanup_(freep) char *file = in(state, "file");
        _cleanup_(freep) char *no_folder = xasprintf("cannot open folder '%s': Not a directory", file);

        scratch_write(file, "");
        assert_int_equal(file_list(missing, &names, &err), -1);
        assert_error(err, ERROR_NOT_FOUND, not_there);
        assert_int_equal(file_list(file, &names, &err), -1);
        assert_error(err, ERROR_FAILED, no_folder);
        assert_int_equal(names.count, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(folders_are_made_with_their_parents),
                TEST(a_symlink_to_a_folder_counts_as_one),
                TEST(a_folder_that_can_not_be_made_is_an_error),
                TEST(many_may_make_the_same_folders_at_once),
                TEST(a_private_folder_is_ours_and_nobody_elses),
                TEST(a_folder_open_to_others_is_not_private),
                TEST(a_symlink_is_no_private_folder),
                TEST(a_folder_of_another_user_is_not_private),
                TEST(what_is_in_the_way_is_moved_to_a_name_that_is_free),
                TEST(a_list_is_sorted_and_whole),
                TEST(a_list_that_can_not_be_had_is_an_error),
        };

        return cmocka_run_group_tests_name("lib/file-folder", tests, NULL, NULL);
}
