/* config.toml: its defaults, its keys, its mistakes. */
#include "config/settings.h"

#include "mistakes.h"

#define GIB (INT64_C(1) << 30)

static void parse(const char *text, struct settings *out)
{
        assert_int_equal(settings_parse(text, strlen(text), "c.toml", out, NULL), 0);
}

static void an_empty_file_has_the_defaults(void **state)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;

        parse("", &settings);
        assert_string_equal(settings.file, "c.toml");
        assert_int_equal(settings.template_budget, 10 * GIB);
        assert_int_equal(settings.memory_budget, 0);
}

static void a_budget_is_a_size(void **state)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(settings_clear) struct settings none = SETTINGS_INIT;

        parse("template_budget = \"1.5TiB\"\n", &settings);
        assert_int_equal(settings.template_budget, 1536 * GIB);
        parse("template_budget = 0\n", &none);
        assert_int_equal(none.template_budget, 0);
}

static void mirrors_stand_for_prefixes_of_urls(void **state)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;

        parse("proxy = \"host\"\ntrust_host_ca = true\n[mirrors]\n\"https://a.org/\" = \"http://b/\"\n", &settings);
        assert_string_equal(settings.mirror_from.items[0], "https://a.org/");
        assert_string_equal(settings.mirror_to.items[0], "http://b/");
        assert_string_equal(settings.proxy, "host");
        assert_true(settings.trust_host_ca);
}

static void a_mirror_or_proxy_that_can_not_be_one_is_refused(void **state)
{
        static const char text[] = "proxy = \"http://me:hunter2@p\"\n[mirrors]\n\"http://a.org/\" = \"http://b/\"\n"
                                   "\"https://a.org/\" = \"ftp://b/\"\n";
        struct settings settings = SETTINGS_INIT;
        struct error *error = NULL;
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(settings_parse(text, strlen(text), "c.toml", &settings, &error), -1);
        said = mistakes_text(error);
        error_free(error);
        assert_non_null(strstr(said, "c.toml:1:9: the proxy has a user"));
        assert_non_null(strstr(said, "c.toml:3:1: "));
        assert_non_null(strstr(said, "c.toml:4:20: "));
        assert_null(strstr(said, "hunter2"));
}

static void all_mistakes_are_listed_with_their_places(void **state)
{
        static const char text[] = "template_budget = -1\ntemplate_buget = 3\n";
        struct settings settings = SETTINGS_INIT;
        struct error *error = NULL;
        _cleanup_(freep) char *said = NULL;

        assert_int_equal(settings_parse(text, strlen(text), "c.toml", &settings, &error), -1);
        assert_null(settings.file);
        said = mistakes_text(error);
        error_free(error);
        assert_non_null(strstr(said, "c.toml:1:19: "));
        assert_non_null(strstr(said, "c.toml:2:1: unknown key 'template_buget' [did you mean 'template_budget'?]"));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_has_the_defaults),
                cmocka_unit_test(a_budget_is_a_size),
                cmocka_unit_test(mirrors_stand_for_prefixes_of_urls),
                cmocka_unit_test(a_mirror_or_proxy_that_can_not_be_one_is_refused),
                cmocka_unit_test(all_mistakes_are_listed_with_their_places),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
