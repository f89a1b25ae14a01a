/* Our own LIMA_HOME is private, has nobody's settings, and its path is short enough for the sockets in it. */
#include "scratch.h"

#include <sys/un.h>
#include <unistd.h>

#include "lima/home.h"

static void use(const char *folder)
{
        setenv("XDG_STATE_HOME", folder, 1);
}

static void assert_instance(const char *vm, const char *instance)
{
        _cleanup_(freep) char *name = home_instance(vm);

        assert_string_equal(name, instance);
}

static void an_instance_has_its_vms_name_but_for_hyphens_in_a_row(void **state)
{
        assert_instance("blog", "blog");
        assert_instance("my-blog-2", "my-blog-2");
        assert_instance("a--b", "a.2.b");
        assert_instance("a---b--c-d", "a.3.b.2.c-d");
}

static void the_limit_is_that_of_the_longest_socket(void **state)
{
        const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - sizeof("/ssh.sock.1234567890123456");
        _cleanup_(strbuf_clear) struct strbuf folder = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        size_t rest;

        strbuf_adds(&folder, "/nowhere/");
        rest = most - folder.len - strlen("/machine/lima/blog");
        for (size_t i = 0; i < rest; i++)
                strbuf_addc(&folder, 'x');
        use(folder.buf);
        assert_int_equal(home_check("blog", NULL), 0);
        assert_int_equal(home_check("blog2", &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->hint, "XDG_STATE_HOME"));
}

static void a_symlink_does_not_make_it_shorter(void **state)
{
        _cleanup_(freep) char *far =
                path_join(*state, "a-folder/whose-name/is-long/and-goes/on-and-on/for-as-long/as-it-takes");
        _cleanup_(freep) char *inside = path_join(far, "machine/lima");
        _cleanup_(freep) char *link = path_join(*state, "s");
        _cleanup_(freep) char *folder = NULL;

        assert_int_equal(file_make_folders(inside, 0700, NULL), 0);
        assert_int_equal(symlink(far, link), 0);
        use(link);
        folder = home_folder();
        assert_string_equal(folder, inside);
        assert_int_equal(home_check("blog", NULL), -1);
}

static void it_is_made_private_with_a_key_that_stays(void **state)
{
        _cleanup_(freep) char *folder = NULL;
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *second = NULL;

        use(*state);
        for (unsigned i = 0; i < 2; i++) {
                _cleanup_(lock_release) struct lock lock = LOCK_INIT;

                assert_int_equal(home_prepare(&lock, NULL), 0);
                set_string(i == 0 ? &first : &second, home_key(NULL));
        }
        folder = home_folder();
        assert_int_equal(scratch_mode(folder), 0700);
        assert_true(starts_with(first, "ssh-ed25519 AAAA"));
        assert_string_equal(first, second);
}

static void settings_that_lima_would_mix_in_are_refused(void **state)
{
        static const char *const names[] = { "base.yaml", "default.yaml", "override.yaml" };
        _cleanup_(freep) char *folder = path_join(*state, "settings");
        _cleanup_(freep) char *config = NULL;

        use(folder);
        config = path_join(folder, "machine/lima/_config");
        assert_int_equal(file_make_folders(config, 0700, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(config, names[i]);
                _cleanup_(lock_release) struct lock lock = LOCK_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                scratch_write(path, "");
                assert_int_equal(home_prepare(&lock, &err), -1);
                assert_non_null(strstr(err->message, names[i]));
                assert_int_equal(unlink(path), 0);
        }
}

static void what_is_no_key_is_not_put_into_a_script(void **state)
{
        _cleanup_(freep) char *config = path_join(*state, "key/machine/lima/_config");
        _cleanup_(freep) char *path = path_join(config, "user.pub");
        _cleanup_(freep) char *folder = path_join(*state, "key");

        use(folder);
        assert_int_equal(file_make_folders(config, 0700, NULL), 0);
        assert_null(home_key(NULL));
        scratch_write(path, "ssh-ed25519 AAAA'; reboot; '\n");
        assert_null(home_key(NULL));
        scratch_write(path, "ssh-ed25519 AAAA\nssh-ed25519 BBBB\n");
        assert_null(home_key(NULL));
        scratch_write(path, "\n");
        assert_null(home_key(NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_instance_has_its_vms_name_but_for_hyphens_in_a_row),
                cmocka_unit_test(the_limit_is_that_of_the_longest_socket),
                cmocka_unit_test(a_symlink_does_not_make_it_shorter),
                cmocka_unit_test(it_is_made_private_with_a_key_that_stays),
                cmocka_unit_test(settings_that_lima_would_mix_in_are_refused),
                cmocka_unit_test(what_is_no_key_is_not_put_into_a_script),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
