/* What a saved guest says of itself, and what it is not loaded into. Saving and loading need a QEMU: tests/vm/test_x_park.py.
 */
#include "scratch.h"

#include "lib/json.h"
#include "qemu/moment.h"

/* Writes about.json into the test's folder. */
static void put(const char *folder, int version)
{
        _cleanup_(freep) char *path = path_join(folder, "about.json");
        _cleanup_(json_decrefp) json_t *about =
                json_pack("{s:i, s:s, s:s, s:s, s:b, s:b, s:b}", "version", version, "key", "blog", "shape", "of another QEMU",
                          "uuid", "x", "restored", 0, "whole", 1, "copied", 0);

        assert_int_equal(json_write(path, about, 0600, NULL), 0);
}

static void what_was_saved_is_read(void **state)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;

        put(*state, 1);
        assert_int_equal(moment_open(*state, &moment, NULL), 0);
        assert_string_equal(moment.key_name, "blog");
        assert_true(moment.whole);
        assert_null(moment.memory);
}

static void another_versions_is_refused(void **state)
{
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        put(*state, 2);
        assert_int_equal(moment_open(*state, &moment, &err), -1);
        assert_non_null(strstr(err->message, "about.json' is of another version of machine"));
}

static void it_fits_no_other_qemu(void **state)
{
        struct vm vm = VM_INIT;
        struct launch launch = LAUNCH_INIT(&vm, NULL);
        _cleanup_(moment_clear) struct moment moment = MOMENT_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        vm.record.cpus = 2;
        launch.toolkit = (struct toolkit){ .qemu = (char *)"/usr/bin/qemu", .version = (char *)"1", .machine = (char *)"q35" };
        put(*state, 1);
        assert_int_equal(moment_open(*state, &moment, NULL), 0);
        assert_int_equal(moment_fits(&moment, &launch, &err), -1);
        assert_string_equal(err->message, "QEMU, this computer's processor, or the VM's size is another one by now");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_saved_is_read, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(another_versions_is_refused, scratch_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(it_fits_no_other_qemu, scratch_setup, scratch_teardown),
        };

        return cmocka_run_group_tests_name("qemu/moment", tests, NULL, NULL);
}
