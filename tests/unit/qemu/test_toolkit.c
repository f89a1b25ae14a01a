/* The programs on this machine: the engine understands what they say about themselves. */
#include "scratch.h"

#include "host/acceleration.h"
#include "lib/process.h"
#include "qemu/arguments.h"
#include "qemu/qemu.h"
#include "qemu/toolkit.h"

static void need_qemu(void)
{
        _cleanup_(freep) char *program = process_find(arguments_program_name(ARCHITECTURE_HOST));

        if (!program) {
                print_message("QEMU is not installed\n");
                skip();
        }
}

static void the_machine_that_is_found_has_a_version(void **state)
{
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;

        need_qemu();
        assert_int_equal(toolkit_find(&toolkit, NULL), 0);
        assert_int_equal(toolkit.qemu[0], '/');
        assert_non_null(strstr(toolkit.machine, arguments_machine_name(ARCHITECTURE_HOST)));
        assert_true(strlen(toolkit.machine) > strlen(arguments_machine_name(ARCHITECTURE_HOST)));
        assert_true((toolkit.bubblewrap == NULL) == (toolkit.note != NULL));
}

static void without_qemu_the_engine_says_what_to_install(void **state)
{
        _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
        _cleanup_(freep) char *path = xstrdup(getenv("PATH"));

        setenv("PATH", *state, 1);
        assert_int_equal(qemu_engine.probe(&probe, NULL), 0);
        setenv("PATH", path, 1);
        assert_false(probe.usable);
        assert_null(probe.version);
        assert_non_null(strstr(probe.note, "is not installed"));
        assert_true(starts_with(probe.hint, "sudo apt-get install qemu-system-"));
}

static void acceleration_is_there_or_its_absence_has_a_reason(void **state)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;

        acceleration_find(&acceleration);
        assert_true(acceleration.kvm == (acceleration.note == NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_machine_that_is_found_has_a_version),
                cmocka_unit_test(without_qemu_the_engine_says_what_to_install),
                cmocka_unit_test(acceleration_is_there_or_its_absence_has_a_reason),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
