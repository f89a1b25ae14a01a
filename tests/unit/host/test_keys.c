/* Key pairs and the pinned host key are made whole, kept and repaired. ssh-keygen is the real one. */
#include "scratch.h"

#include <unistd.h>

#include "host/keys.h"
#include "lib/process.h"

/* *state is the VM's folder. Its name has a space. */
static int setup(void **state)
{
        char *folder;

        if (scratch_setup(state) < 0)
                return -1;
        folder = xasprintf("%s/my vms", (const char *)*state);
        free(*state);
        *state = folder;
        return 0;
}

static int teardown(void **state)
{
        char *folder = path_folder(*state);

        free(*state);
        *state = folder;
        return scratch_teardown(state);
}

static char *content(void **state, const char *name)
{
        _cleanup_(freep) char *path = path_join(*state, name);

        return scratch_read(path);
}

static void remove_file(void **state, const char *name)
{
        _cleanup_(freep) char *path = path_join(*state, name);

        assert_int_equal(unlink(path), 0);
}

static mode_t mode_of(void **state, const char *name)
{
        _cleanup_(freep) char *path = path_join(*state, name);

        return scratch_mode(path);
}

static void both_pairs_and_known_hosts_are_made(void **state)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        assert_int_equal(file_list(*state, &names, NULL), 0);
        text = strv_join(&names, " ");
        assert_string_equal(text, "host_key host_key.pub id_ed25519 id_ed25519.pub known_hosts");
        assert_int_equal(scratch_mode(*state), 0700);
        assert_int_equal(mode_of(state, "id_ed25519"), 0600);
        assert_int_equal(mode_of(state, "host_key"), 0600);
        assert_int_equal(mode_of(state, "known_hosts"), 0600);
}

static void ssh_keygen_finds_the_host_key_under_the_alias(void **state)
{
        _cleanup_(freep) char *known = path_join(*state, "known_hosts");
        const char *const argv[] = { "ssh-keygen", "-F", "machine-blog", "-f", known, NULL };
        _cleanup_(strbuf_clear) struct strbuf found = STRBUF_INIT;
        _cleanup_(freep) char *public = NULL;
        _cleanup_(freep) char *line = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, &found, NULL), 0);
        public = content(state, "host_key.pub");
        assert_true(ends_with(public, " machine-blog\n"));
        line = xasprintf("machine-blog %.*s\n", (int)(strlen(public) - strlen(" machine-blog\n")), public);
        assert_non_null(strstr(found.buf, line));
}

static void existing_keys_are_kept(void **state)
{
        static const char *const names[] = { "id_ed25519", "id_ed25519.pub", "host_key", "host_key.pub", "known_hosts" };
        char *before[ARRAY_SIZE(names)];

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                before[i] = content(state, names[i]);
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *after = content(state, names[i]);

                assert_string_equal(before[i], after);
                free(before[i]);
        }
}

static void no_two_vms_share_a_key(void **state)
{
        _cleanup_(freep) char *other = xasprintf("%s/other", (const char *)*state);
        _cleanup_(freep) char *other_key = path_join(other, "id_ed25519.pub");
        _cleanup_(freep) char *first = NULL;
        _cleanup_(freep) char *second = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        assert_int_equal(keys_ensure(other, "blog", NULL, NULL), 0);
        first = content(state, "id_ed25519.pub");
        second = scratch_read(other_key);
        assert_string_not_equal(first, second);
}

static void a_killed_run_is_finished(void **state)
{
        _cleanup_(freep) char *work = path_join(*state, "keys.new");
        _cleanup_(freep) char *half = path_join(work, "host_key");
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;

        /* As if killed while the second pair was made: its work folder has half a key, and a public key has no private one. */
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        before = content(state, "id_ed25519");
        remove_file(state, "host_key");
        remove_file(state, "known_hosts");
        assert_int_equal(file_make_folders(work, 0700, NULL), 0);
        scratch_write(half, "-----BEGIN");
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        after = content(state, "id_ed25519");
        assert_string_equal(before, after);
        assert_false(file_exists(work));
        assert_int_equal(mode_of(state, "host_key"), 0600);
}

static void a_lost_public_key_is_derived_again(void **state)
{
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        before = content(state, "host_key.pub");
        remove_file(state, "host_key.pub");
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        after = content(state, "host_key.pub");
        assert_string_equal(before, after);
}

static void known_hosts_always_says_what_the_host_key_is(void **state)
{
        _cleanup_(freep) char *known = path_join(*state, "known_hosts");
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        before = scratch_read(known);
        scratch_write(known, "machine-blog ssh-ed25519 AAAAevil\n");
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        after = scratch_read(known);
        assert_string_equal(before, after);
}

static void a_spoilt_public_key_is_made_from_the_private_one(void **state)
{
        static const char *const texts[] = { "", "\n", "ssh-ed25519", "ssh-ed25519 \n", " x" };
        _cleanup_(freep) char *public = path_join(*state, "host_key.pub");
        _cleanup_(freep) char *before = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        before = content(state, "host_key");
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(freep) char *after = NULL;

                scratch_write(public, texts[i]);
                assert_false(keys_are_whole(*state));
                assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
                assert_true(keys_are_whole(*state));
                after = content(state, "host_key");
                assert_string_equal(before, after);
        }
}

static void a_spoilt_private_key_is_set_aside_and_made_anew(void **state)
{
        _cleanup_(freep) char *key = path_join(*state, "id_ed25519");
        _cleanup_(freep) char *kept = path_join(*state, "id_ed25519.damaged");
        _cleanup_(freep) char *whole = NULL;
        _cleanup_(freep) char *cut = NULL;

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        whole = content(state, "id_ed25519");
        cut = xstrndup(whole, strlen(whole) / 2);
        const char *const texts[] = { "", "no key\n", cut };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(freep) char *left = NULL;

                scratch_write(key, texts[i]);
                assert_false(keys_are_whole(*state));
                assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
                assert_true(keys_are_whole(*state));
                assert_int_equal(mode_of(state, "id_ed25519"), 0600);
                left = content(state, "id_ed25519.damaged");
                assert_string_equal(left, texts[i]);
                assert_int_equal(file_remove(kept, NULL), 0);
        }
}

static void a_folder_in_the_place_of_a_key_is_set_aside(void **state)
{
        static const char *const files[] = { "id_ed25519", "id_ed25519.pub" };

        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_(freep) char *path = path_join(*state, files[i]);
                _cleanup_(freep) char *inner = path_join(path, "inner");
                _cleanup_(freep) char *kept = xasprintf("%s.damaged/inner", path);

                assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
                remove_file(state, files[i]);
                assert_int_equal(file_make_folders(inner, 0700, NULL), 0);
                assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
                assert_true(keys_are_whole(*state));
                assert_true(file_exists(kept));
        }
}

static void a_mode_that_ssh_refuses_is_set_right(void **state)
{
        _cleanup_(freep) char *key = path_join(*state, "id_ed25519");

        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        assert_int_equal(chmod(key, 0644), 0);
        assert_int_equal(keys_ensure(*state, "blog", NULL, NULL), 0);
        assert_int_equal(mode_of(state, "id_ed25519"), 0600);
}

static void without_ssh_keygen_it_says_so(void **state)
{
        _cleanup_(freep) char *path = xstrdup(getenv("PATH"));
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        setenv("PATH", *state, 1);
        assert_int_equal(keys_ensure(*state, "blog", NULL, &err), -1);
        setenv("PATH", path, 1);
        text = error_text(err);
        assert_non_null(strstr(text, "ssh-keygen"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(both_pairs_and_known_hosts_are_made),
                TEST(ssh_keygen_finds_the_host_key_under_the_alias),
                TEST(existing_keys_are_kept),
                TEST(no_two_vms_share_a_key),
                TEST(a_killed_run_is_finished),
                TEST(a_lost_public_key_is_derived_again),
                TEST(known_hosts_always_says_what_the_host_key_is),
                TEST(a_spoilt_public_key_is_made_from_the_private_one),
                TEST(a_spoilt_private_key_is_set_aside_and_made_anew),
                TEST(a_folder_in_the_place_of_a_key_is_set_aside),
                TEST(a_mode_that_ssh_refuses_is_set_right),
                TEST(without_ssh_keygen_it_says_so),
        };

        return cmocka_run_group_tests_name("host/keys", tests, NULL, NULL);
}
