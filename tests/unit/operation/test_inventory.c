/* The list of all projects and VMs: a broken one hides no other. */
#include "fixture.h"

#include "operation/inventory.h"
#include "show/vm.h"

static void it_has_projects_and_vms_by_name(void **state)
{
        _cleanup_(inventory_clear) struct inventory all = INVENTORY_INIT;

        fixture_projects("[shop]\nrepos = ['https://example.org/shop.git']\n[blog]\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        fixture_vm("left", NULL, INTENT_NONE);
        fake.state = VM_RUNNING;
        assert_int_equal(inventory_take(&front, &all, NULL), 0);
        assert_int_equal(all.count, 3);
        assert_string_equal(all.items[0].name, "blog");
        assert_true(all.items[0].vm.exists && all.items[0].project);
        assert_string_equal(inventory_state(&all.items[0]), "running");
        /* Its project is gone. */
        assert_string_equal(all.items[1].name, "left");
        assert_null(all.items[1].project);
        /* It has no VM yet. */
        assert_false(all.items[2].vm.exists);
        assert_string_equal(inventory_state(&all.items[2]), "absent");
        assert_string_equal(fake.warnings, "");
}

static void broken_configuration_hides_no_vm(void **state)
{
        _cleanup_(inventory_clear) struct inventory all = INVENTORY_INIT;

        fixture_projects("[blog\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        assert_int_equal(inventory_take(&front, &all, NULL), 0);
        assert_int_equal(all.count, 1);
        assert_non_null(strstr(fake.warnings, "the configuration can't be read"));
}

static void a_vm_that_cannot_be_asked_hides_no_other(void **state)
{
        _cleanup_(inventory_clear) struct inventory all = INVENTORY_INIT;
        _cleanup_(json_decrefp) json_t *shown = NULL;

        fixture_vm("blog", NULL, INTENT_NONE);
        fixture_vm("shop", NULL, INTENT_NONE);
        free(fixture_write("XDG_STATE_HOME/machine/vms/blog", "vm.json", "{"));
        free(fixture_write("XDG_STATE_HOME/machine/vms/blog", "vm.json.copy", "{"));
        assert_int_equal(inventory_take(&front, &all, NULL), 0);
        assert_int_equal(all.count, 2);
        assert_string_equal(inventory_state(&all.items[0]), "broken");
        assert_string_equal(inventory_state(&all.items[1]), "stopped");
        assert_non_null(strstr(fake.warnings, "VM 'blog': "));
        shown = show_entry(&all.items[0]);
        assert_string_equal(json_string_value(json_object_get(shown, "reason")), all.items[0].trouble);
}

static void a_vm_that_is_paused_says_why(void **state)
{
        _cleanup_(inventory_clear) struct inventory all = INVENTORY_INIT;
        _cleanup_(json_decrefp) json_t *shown = NULL;

        fixture_vm("blog", NULL, INTENT_NONE);
        fake.state = VM_PAUSED;
        assert_int_equal(inventory_take(&front, &all, NULL), 0);
        assert_string_equal(fake.warnings, "VM 'blog' is paused: the host's disk is full (/there); make room there\n");
        shown = show_entry(&all.items[0]);
        assert_string_equal(json_string_value(json_object_get(shown, "state")), "paused");
        assert_string_equal(json_string_value(json_object_get(shown, "reason")), "the host's disk is full (/there)");
}

static void an_entry_shows_its_vm_and_else_its_project(void **state)
{
        _cleanup_(inventory_clear) struct inventory all = INVENTORY_INIT;

        fixture_projects("[blog]\ncpus = 1\n[shop]\ncpus = 2\nrepos = ['https://example.org/shop.git']\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        assert_int_equal(inventory_take(&front, &all, NULL), 0);
        {
                _cleanup_(json_decrefp) json_t *blog = show_entry(&all.items[0]);
                _cleanup_(json_decrefp) json_t *shop = show_entry(&all.items[1]);

                assert_int_equal(json_integer_value(json_object_get(blog, "cpus")), all.items[0].vm.record.cpus);
                assert_string_equal(json_string_value(json_object_get(blog, "ssh_alias")), "machine-blog");
                assert_int_equal(json_integer_value(json_object_get(shop, "cpus")), 2);
                assert_true(json_is_null(json_object_get(shop, "ssh_alias")));
                assert_true(json_is_null(json_object_get(shop, "engine")));
                assert_int_equal(json_array_size(json_object_get(shop, "repos")), 1);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(it_has_projects_and_vms_by_name),
                TEST(broken_configuration_hides_no_vm),
                TEST(a_vm_that_cannot_be_asked_hides_no_other),
                TEST(a_vm_that_is_paused_says_why),
                TEST(an_entry_shows_its_vm_and_else_its_project),
        };

        return cmocka_run_group_tests_name("operation/inventory", tests, NULL, NULL);
}
