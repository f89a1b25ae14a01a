/* The script that makes our guest from somebody else's image. It is complete, and a real shell runs it up to what needs a
 * guest. */
#include "scratch.h"

#include "image/adopt.h"
#include "lib/process.h"

static void run(const char *folder, const char *before, const char *script, struct process_result *result)
{
        _cleanup_(freep) char *text = xasprintf("set -eu\n%s\n%s", before, script);
        const char *const argv[] = { "sh", "-s", NULL };

        assert_int_equal(process_run(&(struct process_spec){ .argv = argv,
                                                             .folder = folder,
                                                             .input = text,
                                                             .input_length = strlen(text),
                                                             .timeout_ms = 60000 },
                                     result, NULL),
                         0);
}

/* Stand-ins for what only a guest may do: mktemp makes a fixed folder, and `sh` shows what it would run. */
#define STAND_INS                                                                                                              \
        "mktemp() { mkdir given; echo given; }\n"                                                                              \
        "sh() { echo \"$*\"; (cd given && find . -type f | sort); cat given/identity >&2; }\n"

static void it_brings_all_files_and_packages_but_a_kernel(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf identity = STRBUF_INIT;
        static const char *const parts[] = {
                "given/build/adopt dev ", " zsh",         " git ",
                "./build/adopt\n",        "./identity\n", "./root/etc/ssh/sshd_config.d/machine.conf\n"
        };

        assert_int_equal(adopt_script("dev", &script, NULL), 0);
        assert_null(strstr(script.buf, "{{"));
        run(*state, STAND_INS, script.buf, &result);
        assert_int_equal(result.status, 0);
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (!strstr(result.out.buf, parts[i]))
                        fail_msg("'%s' is not in: %s", parts[i], result.out.buf);
        assert_null(strstr(result.out.buf, "linux-image"));
        assert_int_equal(file_read(GUEST_FOLDER "/identity", 1 << 20, &identity, NULL), 0);
        assert_string_equal(result.err.buf, identity.buf);
}

static void a_guest_that_was_made_one_is_left_alone(void **state)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        assert_int_equal(adopt_script("dev", &script, NULL), 0);
        /* The key follows "!= ". */
        _cleanup_(freep) char *key = xstrndup(strstr(script.buf, "!= ") + strlen("!= "), 64);
        _cleanup_(freep) char *before = xasprintf("cat() { echo %s; }\nmktemp() { echo made anew; exit 9; }", key);

        run(*state, before, script.buf, &result);
        assert_int_equal(result.status, 0);
        assert_string_equal(result.out.buf, "");
}

static void a_user_that_debian_would_not_take_is_refused(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(adopt_script("x; reboot", &script, &err), -1);
        assert_int_equal(err->kind, ERROR_CONFIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(it_brings_all_files_and_packages_but_a_kernel),
                cmocka_unit_test(a_guest_that_was_made_one_is_left_alone),
                cmocka_unit_test(a_user_that_debian_would_not_take_is_refused),
        };

        setenv("MACHINE_DATA_DIR", GUEST_FOLDER "/..", 1);
        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
