/* Who may have the VM of a name. A .machine.toml comes from a stranger's repo, so it must not reach another project's VM. */
#include "config/checkout.h"
#include "mistakes.h"

#define SHOP_FOLDER "/home/jane/shop"

static void read_projects(struct projects *projects)
{
        static const char text[] = "[blog]\n";

        assert_int_equal(projects_parse(text, strlen(text), "/p.toml", projects, NULL), 0);
}

static void read_checkout(const char *text, struct project *project)
{
        assert_int_equal(checkout_parse(text, strlen(text), SHOP_FOLDER "/.machine.toml", SHOP_FOLDER, NULL, project, NULL), 0);
}

static void assert_claim(const char *text, const char *owner, const char *mistake)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(project_clear) struct project wanted = PROJECT_INIT;
        struct error *error = NULL;

        read_projects(&projects);
        read_checkout(text, &wanted);
        assert_int_equal(project_claim_check(&wanted, owner, &projects, &error), mistake ? -1 : 0);
        assert_mistakes(error, mistake ? mistake : "");
}

static void a_checkout_may_have_a_free_name_and_its_own_vm(void **state)
{
        assert_claim("", NULL, NULL);
        assert_claim("", SHOP_FOLDER, NULL);
        assert_claim("name = 'other'\n", NULL, NULL);
}

static void a_checkout_cannot_take_the_vm_of_another_folder(void **state)
{
        assert_claim("cpus = 1\n", "/home/jane/old/shop",
                     SHOP_FOLDER "/.machine.toml:1:1: the name 'shop' belongs to the VM of '/home/jane/old/shop' "
                                 "[set another 'name' in '" SHOP_FOLDER "/.machine.toml']\n");
        assert_claim("", SHOP_FOLDER "/inner",
                     SHOP_FOLDER "/.machine.toml:1:1: the name 'shop' belongs to the VM of '" SHOP_FOLDER "/inner' "
                                 "[set another 'name' in '" SHOP_FOLDER "/.machine.toml']\n");
}

static void a_checkout_cannot_take_a_vm_of_projects_toml(void **state)
{
        assert_claim("name = 'bank'\n", "projects.toml",
                     SHOP_FOLDER "/.machine.toml:1:1: the name 'bank' belongs to a VM of projects.toml "
                                 "[set another 'name' in '" SHOP_FOLDER "/.machine.toml']\n");
}

static void a_checkout_cannot_take_the_name_of_a_table(void **state)
{
        static const char mistake[] = SHOP_FOLDER "/.machine.toml:2:1: the name 'blog' belongs to [blog] in '/p.toml' "
                                                  "[set another 'name' in '" SHOP_FOLDER "/.machine.toml']\n";

        assert_claim("cpus = 1\nname = 'blog'\n", NULL, mistake);
        assert_claim("cpus = 1\nname = 'blog'\n", "projects.toml", mistake);
        assert_claim("cpus = 1\nname = 'blog'\n", SHOP_FOLDER, mistake);
}

static void a_checkout_cannot_take_the_name_that_is_used_without_a_project(void **state)
{
        assert_claim("name = 'default'\n", NULL,
                     SHOP_FOLDER
                     "/.machine.toml:1:1: the name 'default' belongs to the VM that is used outside of all projects "
                     "[set another 'name' in '" SHOP_FOLDER "/.machine.toml']\n");
}

static void without_a_projects_toml_the_same_holds(void **state)
{
        _cleanup_(project_clear) struct project wanted = PROJECT_INIT;

        read_checkout("", &wanted);
        assert_int_equal(project_claim_check(&wanted, NULL, NULL, NULL), 0);
        assert_int_equal(project_claim_check(&wanted, "/elsewhere", NULL, NULL), -1);
}

static void a_table_may_have_a_free_name_and_its_own_vm(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        read_projects(&projects);
        assert_int_equal(project_claim_check(projects_find(&projects, "blog"), NULL, &projects, NULL), 0);
        assert_int_equal(project_claim_check(projects_find(&projects, "blog"), "projects.toml", &projects, NULL), 0);
}

static void a_table_cannot_take_the_vm_of_a_checkout(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        struct error *error = NULL;

        read_projects(&projects);
        assert_int_equal(project_claim_check(projects_find(&projects, "blog"), SHOP_FOLDER, &projects, &error), -1);
        assert_mistakes(error, "/p.toml:1:2: the name 'blog' belongs to the VM of '" SHOP_FOLDER "' "
                               "[give the table another name, or, if that VM isn't needed any more: machine destroy blog]\n");
}

static void the_built_in_project_cannot_take_the_vm_of_a_checkout(void **state)
{
        _cleanup_(project_clear) struct project wanted = PROJECT_INIT;
        struct error *error = NULL;

        assert_int_equal(project_default(&wanted, "default", NULL, NULL), 0);
        assert_int_equal(project_claim_check(&wanted, "projects.toml", NULL, NULL), 0);
        assert_int_equal(project_claim_check(&wanted, SHOP_FOLDER, NULL, &error), -1);
        assert_mistakes(error, ":0:0: the name 'default' belongs to the VM of '" SHOP_FOLDER "' "
                               "[if that VM isn't needed any more: machine destroy default]\n");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_checkout_may_have_a_free_name_and_its_own_vm),
                cmocka_unit_test(a_checkout_cannot_take_the_vm_of_another_folder),
                cmocka_unit_test(a_checkout_cannot_take_a_vm_of_projects_toml),
                cmocka_unit_test(a_checkout_cannot_take_the_name_of_a_table),
                cmocka_unit_test(a_checkout_cannot_take_the_name_that_is_used_without_a_project),
                cmocka_unit_test(without_a_projects_toml_the_same_holds),
                cmocka_unit_test(a_table_may_have_a_free_name_and_its_own_vm),
                cmocka_unit_test(a_table_cannot_take_the_vm_of_a_checkout),
                cmocka_unit_test(the_built_in_project_cannot_take_the_vm_of_a_checkout),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
