/* The reference and the example agree with the schemas. */
#include "config/project-schema.h"
#include "config/recipe-schema.h"
#include "mistakes.h"

#include "lib/file.h"

static void read_file(const char *path, struct strbuf *text)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_read(path, 1 << 20, text, &error) < 0)
                fail_msg("%s", error->message);
}

static void the_reference_has_the_table_of_every_schema(void **state)
{
        /* The keys that only projects.toml has are a table by themselves. */
        const struct schema own_schema = { .keys = table_schema.keys };
        const struct schema *const schemas[] = { &projects_schema, &own_schema, &checkout_schema, &settings_schema };
        _cleanup_(strbuf_clear) struct strbuf reference = STRBUF_INIT;

        read_file(DOCS_FOLDER "/configuration.md", &reference);
        for (size_t i = 0; i < ARRAY_SIZE(schemas); i++) {
                /* The keys of a project's table and of .machine.toml are one table, with .machine.toml's own keys last. */
                _cleanup_(strbuf_clear) struct strbuf table = STRBUF_INIT;

                schema_document(schemas[i], &table);
                if (!strstr(reference.buf, table.buf))
                        fail_msg("docs/configuration.md has to have this table:\n%s", table.buf);
        }
}

static void the_reference_of_recipes_has_the_table_of_every_section(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf reference = STRBUF_INIT;

        read_file(DOCS_FOLDER "/recipes.md", &reference);
        for (int i = -2; i < RECIPE_KINDS; i++) {
                const struct schema *schema = i == -2   ? &recipe_profile_schema
                                              : i == -1 ? &recipe_when_schema
                                                        : recipe_schemas[i];
                _cleanup_(strbuf_clear) struct strbuf table = STRBUF_INIT;

                if (!schema)
                        continue;
                schema_document(schema, &table);
                if (!strstr(reference.buf, table.buf))
                        fail_msg("docs/recipes.md has to have this table:\n%s", table.buf);
        }
}

/* The first block of TOML in docs/recipes.md, and the profile that `machine profile new` writes. */
static void the_profiles_that_are_shown_are_valid(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf reference = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf new = STRBUF_INIT;
        _cleanup_(recipe_source_clear) struct recipe_source shown = RECIPE_SOURCE_INIT;
        _cleanup_(recipe_source_clear) struct recipe_source written = RECIPE_SOURCE_INIT;
        const char *begin, *end;

        read_file(DOCS_FOLDER "/recipes.md", &reference);
        begin = strstr(reference.buf, "```toml\n");
        assert_non_null(begin);
        begin += strlen("```toml\n");
        end = strstr(begin, "```");
        assert_non_null(end);
        assert_int_equal(recipe_source_parse(begin, (size_t)(end - begin), "example", true, &shown, NULL), 0);
        assert_int_equal(shown.count, 6);
        read_file(SHARE_FOLDER "/profile/profile.toml", &new);
        assert_int_equal(recipe_source_parse(new.buf, new.len, "new", true, &written, NULL), 0);
        assert_int_equal(written.count, 2);
}

/* The example with its settings switched on: "#key = …" and "#[table]" lose their "#", ordinary comments stay. */
static char *switched_on(const char *example)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        while (*example) {
                size_t length = strcspn(example, "\n");

                if (length > 1 && *example == '#' && example[1] != ' ')
                        strbuf_add(&text, example + 1, length - 1);
                else
                        strbuf_add(&text, example, length);
                strbuf_addc(&text, '\n');
                example += length + (example[length] == '\n');
        }
        return strbuf_take(&text);
}

static void the_example_changes_nothing_as_it_is_shipped(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf example = STRBUF_INIT;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        read_file(SHARE_FOLDER "/projects.toml", &example);
        assert_int_equal(projects_parse(example.buf, example.len, "example", &projects, NULL), 0);
        assert_int_equal(projects.count, 0);
        assert_null(projects.default_shell);
}

static void the_example_with_all_switched_on_is_valid_and_has_every_key(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf example = STRBUF_INIT;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(toml_freep) struct toml_value *root = NULL;
        _cleanup_(freep) char *text = NULL;
        struct error *error = NULL;

        read_file(SHARE_FOLDER "/projects.toml", &example);
        text = switched_on(example.buf);
        if (projects_parse(text, strlen(text), "example", &projects, &error) < 0) {
                _cleanup_(freep) char *said = mistakes_text(error);

                error_free(error);
                fail_msg("%s", said);
        }
        root = toml_parse(text, strlen(text), "example", NULL);
        for (const struct schema_key *key = projects_schema.keys; key->name; key++)
                if (!toml_get(root, key->name))
                        fail_msg("share/projects.toml doesn't show '%s'", key->name);
        for (const struct schema_key *key = project_schema.keys; key->name; key++)
                if (!toml_get(&root->members[2].value, key->name))
                        fail_msg("share/projects.toml doesn't show '%s' in its first project", key->name);
}

/* With every key set, a member that project_copy() or project_clear() leaves out is freed twice, used after, or never freed. */
static void a_copy_of_a_project_with_every_key_has_its_own_of_each(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf example = STRBUF_INIT;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(project_clear) struct project copy = PROJECT_INIT;
        _cleanup_(freep) char *text = NULL;

        read_file(SHARE_FOLDER "/projects.toml", &example);
        text = switched_on(example.buf);
        assert_int_equal(projects_parse(text, strlen(text), "example", &projects, NULL), 0);
        assert_true(projects.count > 0);
        project_copy(&copy, &projects.items[0]);
        projects_clear(&projects);
        assert_string_equal(copy.file, "example");
        assert_true(copy.secret_count > 0 && copy.environments.count > 0 && copy.allow.count > 0 && copy.image);
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_reference_has_the_table_of_every_schema),
                cmocka_unit_test(the_reference_of_recipes_has_the_table_of_every_section),
                cmocka_unit_test(the_profiles_that_are_shown_are_valid),
                cmocka_unit_test(the_example_changes_nothing_as_it_is_shipped),
                cmocka_unit_test(the_example_with_all_switched_on_is_valid_and_has_every_key),
                cmocka_unit_test(a_copy_of_a_project_with_every_key_has_its_own_of_each),
        };

        project_set_engines((const char *const[]){ "qemu", "lima", NULL });
        return cmocka_run_group_tests(tests, NULL, NULL);
}
