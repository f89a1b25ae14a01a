/* The text for a secret in projects.toml becomes the command that prints the secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/secret-source.h"

static const struct {
        const char *text, *provider, *argv; /* argv joined by "|" */
} good[] = {
        { "op://dev/api/token", "1Password", "op|read|--no-newline|--|op://dev/api/token" },
        { "pass:work/api", "pass", "pass|show|--|work/api" },
        { "pass:-x", "pass", "pass|show|--|-x" },
        { "file:/keys/a.age", "age", "age|--decrypt|--identity|/home/jane/.config/sops/age/keys.txt|--|/keys/a.age" },
        { "file:~/keys/a.age", "age",
          "age|--decrypt|--identity|/home/jane/.config/sops/age/keys.txt|--|/home/jane/keys/a.age" },
        { "file:/keys/a.yaml", "sops", "sops|decrypt|/keys/a.yaml" },
        { "file:/keys/a.yaml#API KEY", "sops", "sops|decrypt|--extract|[\"API KEY\"]|/keys/a.yaml" },
        { "keychain:api", "keychain", "security|find-generic-password|-w|-s|api" },
        { "command:vault read -field=x secret/y", "command", "vault|read|-field=x|secret/y" },
        { "command: ~/bin/get 'two words' \"a'b\" c\"d e\"f '' ", "command", "/home/jane/bin/get|two words|a'b|cd ef|" },
        { "command:sh -c 'echo $X | tail'", "command", "sh|-c|echo $X | tail" },
};

static void each_form_is_a_command_without_a_shell(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
                _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;
                _cleanup_(freep) char *argv = NULL;

                assert_int_equal(secret_source_parse(good[i].text, "/home/jane", &source, NULL), 0);
                argv = strv_join(&source.argv, "|");
                assert_string_equal(source.provider, good[i].provider);
                assert_string_equal(argv, good[i].argv);
                assert_null(source.variable);
                assert_int_equal(source.first_line, starts_with(good[i].text, "pass:"));
        }
}

static void the_environment_is_read_by_name(void **state)
{
        _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;

        assert_int_equal(secret_source_parse("env:API_TOKEN", NULL, &source, NULL), 0);
        assert_string_equal(source.variable, "API_TOKEN");
        assert_int_equal(source.argv.count, 0);
}

static const struct {
        const char *text, *said;
} bad[] = {
        { "hunter2", "not a secret source" },
        { "", "not a secret source" },
        { "https://example.org", "not a secret source" },
        { "op://", "names nothing" },
        { "pass:", "names nothing" },
        { "pass:a\nb", "line end" },
        { "env:1X", "not the name of a variable" },
        { "env:A B", "not the name of a variable" },
        { "file:keys.age", "absolute path" },
        { "file:/a.age#x", "means nothing" },
        { "file:/a.yaml#a\"b", "can't be the key" },
        { "command:  ", "names no program" },
        { "command:a 'b", "not closed" },
};

static void what_names_no_place_is_refused(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(secret_source_parse(bad[i].text, "/home/jane", &source, &err), -1);
                assert_int_equal(err->kind, ERROR_CONFIG);
                if (!strstr(err->message, bad[i].said))
                        fail_msg("'%s' does not say '%s'", err->message, bad[i].said);
                assert_null(source.provider);
        }
}

/* Somebody may have written the secret itself into the file. */
static void what_may_be_the_secret_itself_is_not_repeated(void **state)
{
        _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(secret_source_parse("hunter2", NULL, &source, &err), -1);
        assert_null(strstr(err->message, "hunter2"));
        assert_null(strstr(err->hint, "hunter2"));
}

static void names_are_those_of_variables(void **state)
{
        static const char *const yes[] = { "A", "_", "api_key2", "DATABASE_URL" };
        static const char *const no[] = { "", "2A", "a-b", "a.b", "a/b", "../x", "a b", "\xc3\xa4" };

        for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
                assert_true(secret_name_valid(yes[i]));
        for (size_t i = 0; i < ARRAY_SIZE(no); i++)
                assert_false(secret_name_valid(no[i]));
        assert_true(secret_environment_valid("abc123"));
        assert_false(secret_environment_valid("a/b"));
        assert_false(secret_environment_valid("--x"));
        assert_false(secret_environment_valid(""));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(each_form_is_a_command_without_a_shell),
                cmocka_unit_test(the_environment_is_read_by_name),
                cmocka_unit_test(what_names_no_place_is_refused),
                cmocka_unit_test(what_may_be_the_secret_itself_is_not_repeated),
                cmocka_unit_test(names_are_those_of_variables),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
