/* Who commits here, as the real git on this computer says, in the test's own home folder. */
#include "scratch.h"

#include <sys/stat.h>

#include "host/committer.h"
#include "lib/file.h"

#define KEY   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGF7BE1F4NBI0pi9x8LeDLAZEc0Tt5jfmWoBzanaRuPA"
#define OTHER "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcBE1F4NBI0pi9x8LeDLAZEc0Tt5jfmWoBzanaRuPA"

static const char *home;

static int setup(void **state)
{
        static const char *const variables[] = {
                "GIT_NAME", "GIT_EMAIL", "GIT_SIGNING_KEY", "OP_SIGNING_KEY_REF", "GIT_SIGNING_PUBKEY_FILE", "XDG_CONFIG_HOME"
        };

        if (scratch_setup(state) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                unsetenv(variables[i]);
        home = *state;
        return setenv("GIT_CONFIG_NOSYSTEM", "1", 1) < 0 ? -1 : setenv("HOME", home, 1);
}

static void put(const char *name, const char *text)
{
        _cleanup_(freep) char *path = path_join(home, name);

        assert_int_equal(file_write_text(path, text, 0600, NULL), 0);
}

static void find(struct committer *out)
{
        committer_clear(out);
        assert_int_equal(committer_find(out, NULL), 0);
}

static void git_says_who(void **state)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

        put(".gitconfig", "[user]\nname = First\nname = \"Jane \\\"Q\\\"\\nDoe\"\nemail = jane@example.org\n");
        find(&committer);
        assert_string_equal(committer.name, "Jane \"Q\"\nDoe");
        assert_string_equal(committer.email, "jane@example.org");
        assert_null(committer.signing_key);
        assert_non_null(strstr(committer.unsigned_why, "user.signingkey"));
}

static void the_environment_comes_first(void **state)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

        put(".gitconfig", "[user]\nname = Jane\nemail = jane@example.org\nsigningkey = " OTHER "\n");
        setenv("GIT_NAME", "Work", 1);
        setenv("GIT_SIGNING_KEY", KEY " jane@laptop", 1);
        find(&committer);
        assert_string_equal(committer.name, "Work");
        assert_string_equal(committer.email, "jane@example.org");
        assert_string_equal(committer.signing_key, KEY);
        setenv("GIT_SIGNING_KEY", "nothing of the kind", 1);
        find(&committer);
        assert_null(committer.signing_key);
        assert_non_null(strstr(committer.unsigned_why, "GIT_SIGNING_KEY"));
}

static void nothing_at_all_is_no_error(void **state)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

        find(&committer);
        assert_null(committer.name);
        assert_null(committer.email);
        assert_null(committer.signing_key);
}

static void a_configuration_that_git_can_not_read_is_one(void **state)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        put(".gitconfig", "[user\n");
        assert_int_equal(committer_find(&committer, &error), -1);
        assert_non_null(strstr(error->message, "git can't read its configuration"));
}

static void a_key_is_given_in_each_way_that_git_knows(void **state)
{
        static const char *const settings[] = {
                "[user]\nsigningkey = " KEY " comment\n",
                "[user]\nsigningkey = key::" KEY "\n",
                "[gpg]\nformat = ssh\n[user]\nsigningkey = ~/key.pub\n",
                "[gpg]\nformat = ssh\n[user]\nsigningkey = ~/key\n",
        };

        put("key.pub", KEY " jane@laptop\n");
        put("key", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n");
        for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
                _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

                put(".gitconfig", settings[i]);
                find(&committer);
                assert_string_equal(committer.signing_key, KEY);
                assert_null(committer.unsigned_why);
        }
}

static void what_is_no_ssh_key_is_named(void **state)
{
        static const struct {
                const char *settings, *why;
        } cases[] = {
                { "[user]\nsigningkey = 0123ABCD\n", "gpg.format" },
                { "[gpg]\nformat = ssh\n[user]\nsigningkey = ~/missing.pub\n", "missing.pub" },
                { "[gpg]\nformat = ssh\n[user]\nsigningkey = ~/text\n", "holds no public ssh key" },
                { "[gpg]\nformat = ssh\n[user]\nsigningkey = ~/lonely\n", "lonely.pub" },
        };

        put("text", "hello\n");
        put("lonely", "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n");
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;

                put(".gitconfig", cases[i].settings);
                find(&committer);
                assert_null(committer.signing_key);
                assert_non_null(strstr(committer.unsigned_why, cases[i].why));
        }
}

/* The test's own program stands in for 1Password's. */
static void one_password_is_asked_where_it_is_named(void **state)
{
        _cleanup_(committer_clear) struct committer committer = COMMITTER_INIT;
        _cleanup_(freep) char *program = path_join(home, "op");
        _cleanup_(freep) char *path = xasprintf("%s:%s", home, getenv("PATH"));
        _cleanup_(freep) char *before = xstrdup(getenv("PATH"));

        put("op", "#!/bin/sh\n[ \"$*\" = 'read --no-newline -- op://Work/key/public' ] && printf '%s' '" KEY "'\n");
        assert_int_equal(chmod(program, 0700), 0);
        setenv("PATH", path, 1);
        setenv("OP_SIGNING_KEY_REF", "op://Work/key/public", 1);
        find(&committer);
        assert_string_equal(committer.signing_key, KEY);
        setenv("OP_SIGNING_KEY_REF", "op://Work/other", 1);
        find(&committer);
        assert_null(committer.signing_key);
        assert_non_null(committer.unsigned_why);
        setenv("PATH", before, 1);
}

static void only_whole_lines_of_public_keys_are_keys(void **state)
{
        static const char *const none[] = { "",
                                            "ssh-ed25519",
                                            "ssh-ed25519 ",
                                            "ssh-ed25519\nAAAA",
                                            "ssh-dss AAAA",
                                            "ssh-ed25519 AA\"A",
                                            "ssh-ed25519 AAAA;x" };
        _cleanup_(freep) char *key = committer_parse_key("  ssh-rsa \t AAAA== a comment\nmore");

        assert_string_equal(key, "ssh-rsa AAAA==");
        for (size_t i = 0; i < ARRAY_SIZE(none); i++)
                assert_null(committer_parse_key(none[i]));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(git_says_who, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(the_environment_comes_first, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(nothing_at_all_is_no_error, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_configuration_that_git_can_not_read_is_one, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_key_is_given_in_each_way_that_git_knows, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(what_is_no_ssh_key_is_named, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(one_password_is_asked_where_it_is_named, setup, scratch_teardown),
                cmocka_unit_test(only_whole_lines_of_public_keys_are_keys),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
