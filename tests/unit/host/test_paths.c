/* Where things are: the XDG base directories with their fallbacks, and what is refused. */
#include "scratch.h"

#include <unistd.h>

#include "host/paths.h"

static const char *const variables[] = { "HOME",
                                         "XDG_CONFIG_HOME",
                                         "XDG_STATE_HOME",
                                         "XDG_DATA_HOME",
                                         "XDG_CACHE_HOME",
                                         "XDG_RUNTIME_DIR",
                                         "MACHINE_DATA_DIR",
                                         "MACHINE_CONFIG_DIR",
                                         "MACHINE_LIBEXEC_DIR" };

static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                unsetenv(variables[i]);
        return setenv("HOME", *state, 1);
}

/* Compares an owned path with one below the scratch folder. */
static void assert_below(void **state, char *path, const char *expected)
{
        _cleanup_(freep) char *owned = path;
        _cleanup_(freep) char *whole = xasprintf("%s%s", (const char *)*state, expected);

        assert_string_equal(owned, whole);
}

static void without_any_variable_all_is_below_home(void **state)
{
        assert_below(state, paths_config("projects.toml"), "/.config/machine/projects.toml");
        assert_below(state, paths_config(NULL), "/.config/machine");
        assert_below(state, paths_state("vms"), "/.local/state/machine/vms");
        assert_below(state, paths_data("layers"), "/.local/share/machine/layers");
        assert_below(state, paths_cache(NULL), "/.cache/machine");
        assert_below(state, paths_home(".ssh"), "/.ssh");
        assert_below(state, paths_home(NULL), "");
}

static void xdg_variables_are_followed(void **state)
{
        _cleanup_(freep) char *folder = xasprintf("%s/elsewhere", (const char *)*state);

        setenv("XDG_STATE_HOME", folder, 1);
        setenv("XDG_CONFIG_HOME", folder, 1);
        assert_below(state, paths_state("vms"), "/elsewhere/machine/vms");
        assert_below(state, paths_config("x"), "/elsewhere/machine/x");
        assert_below(state, paths_data("x"), "/.local/share/machine/x");
}

static void relative_and_empty_xdg_variables_are_ignored(void **state)
{
        setenv("XDG_STATE_HOME", "state", 1);
        setenv("XDG_DATA_HOME", "", 1);
        assert_below(state, paths_state("vms"), "/.local/state/machine/vms");
        assert_below(state, paths_data("x"), "/.local/share/machine/x");
}

static void the_configuration_folder_can_be_named_outright(void **state)
{
        _cleanup_(freep) char *folder = xasprintf("%s/mine", (const char *)*state);

        setenv("XDG_CONFIG_HOME", "/nowhere", 1);
        setenv("MACHINE_CONFIG_DIR", folder, 1);
        assert_below(state, paths_config("projects.toml"), "/mine/projects.toml");
        assert_below(state, paths_config(NULL), "/mine");
}

static void without_home_the_users_entry_counts(void **state)
{
        _cleanup_(freep) char *home = NULL;

        unsetenv("HOME");
        home = paths_home(NULL);
        assert_int_equal(*home, '/');
}

static void sockets_go_to_a_private_folder_of_the_vm(void **state)
{
        _cleanup_(freep) char *socket = NULL;
        _cleanup_(freep) char *folder = NULL;

        setenv("XDG_RUNTIME_DIR", *state, 1);
        socket = paths_socket("blog", "ssh", NULL);
        assert_non_null(socket);
        folder = path_folder(socket);
        assert_int_equal(scratch_mode(folder), 0700);
        assert_below(state, TAKE_PTR(socket), "/machine/blog/ssh");
}

static void a_missing_runtime_folder_is_replaced_by_one_in_tmp(void **state)
{
        _cleanup_(freep) char *missing = xasprintf("%s/run", (const char *)*state);
        _cleanup_(freep) char *expected = xasprintf("/tmp/machine-%lu", (unsigned long)getuid());
        _cleanup_(freep) char *unset = paths_runtime(NULL);
        _cleanup_(freep) char *gone = NULL;

        setenv("XDG_RUNTIME_DIR", missing, 1);
        gone = paths_runtime(NULL);
        assert_string_equal(unset, expected);
        assert_string_equal(gone, expected);
        assert_false(file_exists(missing));
        rmdir(expected);
}

/* macOS allows 103 bytes, and sets no XDG_RUNTIME_DIR. ssh first makes a master's socket under a name that is 17 bytes longer.
 */
static void the_longest_name_has_room_for_a_master_in_tmp(void **state)
{
        static const char name[] = "a-name-of-forty-bytes-which-is-the-most-";
        static const char most[] = "4294967295";
        _cleanup_(freep) char *ours = xasprintf("%lu", (unsigned long)getuid());
        _cleanup_(freep) char *socket = paths_socket(name, "master", NULL);
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *runtime = NULL;

        assert_int_equal(strlen(name), 40);
        assert_non_null(socket);
        assert_true(strlen(socket) - strlen(ours) + strlen(most) + 17 <= 103);
        folder = path_folder(socket);
        runtime = path_folder(folder);
        assert_int_equal(file_remove(folder, NULL), 0);
        rmdir(runtime);
}

static void a_runtime_folder_that_others_can_enter_is_refused(void **state)
{
        _cleanup_(freep) char *folder = xasprintf("%s/machine", (const char *)*state);
        _cleanup_(error_freep) struct error *err = NULL;

        setenv("XDG_RUNTIME_DIR", *state, 1);
        assert_int_equal(mkdir(folder, 0755), 0);
        assert_int_equal(chmod(folder, 0755), 0);
        assert_null(paths_runtime(&err));
        assert_non_null(strstr(err->message, "machine'"));
        assert_null(paths_socket("blog", "ssh", NULL));
}

static void a_runtime_folder_behind_a_symlink_is_refused(void **state)
{
        _cleanup_(freep) char *folder = xasprintf("%s/machine", (const char *)*state);
        _cleanup_(freep) char *target = xasprintf("%s/target", (const char *)*state);

        setenv("XDG_RUNTIME_DIR", *state, 1);
        assert_int_equal(mkdir(target, 0700), 0);
        assert_int_equal(symlink(target, folder), 0);
        assert_null(paths_runtime(NULL));
}

static void a_socket_path_over_100_bytes_is_refused_with_a_hint(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *name = NULL;
        _cleanup_(freep) char *got = NULL;
        size_t room;

        setenv("XDG_RUNTIME_DIR", *state, 1);
        room = 100 - strlen(*state) - strlen("/machine/blog/");
        name = xcalloc(room + 2, 1);
        memset(name, 'x', room);
        got = paths_socket("blog", name, NULL);
        assert_non_null(got);
        assert_int_equal(strlen(got), 100);
        name[room] = 'x';
        assert_null(paths_socket("blog", name, &err));
        assert_non_null(strstr(err->hint, "XDG_RUNTIME_DIR"));
}

static void shipped_files_come_from_the_folder_that_is_set(void **state)
{
        _cleanup_(freep) char *file = xasprintf("%s/identity", (const char *)*state);
        _cleanup_(error_freep) struct error *err = NULL;

        setenv("MACHINE_DATA_DIR", *state, 1);
        scratch_write(file, "#!/bin/sh\n");
        assert_below(state, paths_shipped("identity", NULL), "/identity");
        assert_null(paths_shipped("nothing", &err));
        assert_non_null(strstr(err->message, *state));
        assert_non_null(err->hint);
}

static void a_helper_must_be_a_program(void **state)
{
        _cleanup_(freep) char *file = xasprintf("%s/machine-net", (const char *)*state);
        _cleanup_(freep) char *folder = xasprintf("%s/machine-folder", (const char *)*state);
        _cleanup_(error_freep) struct error *err = NULL;

        setenv("MACHINE_LIBEXEC_DIR", *state, 1);
        scratch_write(file, "");
        assert_null(paths_helper("machine-net", &err));
        assert_non_null(strstr(err->message, "'machine-net'"));
        assert_int_equal(chmod(file, 0755), 0);
        assert_below(state, paths_helper("machine-net", NULL), "/machine-net");
        assert_int_equal(mkdir(folder, 0755), 0);
        assert_null(paths_helper("machine-folder", NULL));
}

static void what_is_installed_nowhere_is_an_error_with_a_hint(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;

        assert_null(paths_helper("machine-no-such-helper", &err));
        assert_non_null(strstr(err->hint, "MACHINE_LIBEXEC_DIR"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, scratch_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(without_any_variable_all_is_below_home),
                TEST(xdg_variables_are_followed),
                TEST(relative_and_empty_xdg_variables_are_ignored),
                TEST(the_configuration_folder_can_be_named_outright),
                TEST(without_home_the_users_entry_counts),
                TEST(sockets_go_to_a_private_folder_of_the_vm),
                TEST(a_missing_runtime_folder_is_replaced_by_one_in_tmp),
                TEST(the_longest_name_has_room_for_a_master_in_tmp),
                TEST(a_runtime_folder_that_others_can_enter_is_refused),
                TEST(a_runtime_folder_behind_a_symlink_is_refused),
                TEST(a_socket_path_over_100_bytes_is_refused_with_a_hint),
                TEST(shipped_files_come_from_the_folder_that_is_set),
                TEST(a_helper_must_be_a_program),
                TEST(what_is_installed_nowhere_is_an_error_with_a_hint),
        };

        return cmocka_run_group_tests_name("host/paths", tests, NULL, NULL);
}
