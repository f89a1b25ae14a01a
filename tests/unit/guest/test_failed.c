/*
 * What the error says when something fails in a guest: one line that tells why, the log with the rest, and what to do. ssh is
 * played by a script, because these programs run as root in a guest, and here they must not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest/advice.h"
#include "guest/recipe-run.h"
#include "guest/setup.h"
#include "lib/file.h"

#define UNTRUSTED "curl: (60) SSL certificate problem: unable to get local issuer certificate"

struct place {
        char *folder;
        struct vm vm;
};

static char *in(const struct place *place, const char *name)
{
        return path_join(place->folder, name);
}

static void put(const struct place *place, const char *name, const char *text, mode_t mode)
{
        _cleanup_(freep) char *path = in(place, name);
        _cleanup_(freep) char *folder = path_folder(path);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(file_write_text(path, text, mode, NULL), 0);
        assert_int_equal(chmod(path, mode), 0);
}

static void set(const struct place *place, const char *variable, const char *name)
{
        _cleanup_(freep) char *path = in(place, name);

        setenv(variable, path, 1);
}

static int start(void **state)
{
        char template[] = "/tmp/machine-failed.XXXXXX";
        struct place *place = xcalloc(1, sizeof(*place));
        _cleanup_(freep) char *path = NULL;

        place->folder = xstrdup(mkdtemp(template));
        place->vm = (struct vm){ .name = (char *)"blog", .folder = in(place, "vm") };
        path = xasprintf("%s/bin:/usr/bin:/bin", place->folder);
        setenv("PATH", path, 1);
        setenv("MACHINE_DATA_DIR", SOURCE_FOLDER, 1);
        set(place, "XDG_CONFIG_HOME", "config");
        set(place, "XDG_CACHE_HOME", "cache");
        set(place, "SAID", "said");
        unsetenv("NODE_EXTRA_CA_CERTS");
        unsetenv("SSL_CERT_FILE");
        *state = place;
        return 0;
}

static int end(void **state)
{
        struct place *place = *state;

        file_remove(place->folder, NULL);
        free(place->vm.folder);
        free(place->folder);
        free(place);
        return 0;
}

/* The guest answers the runner's session with `report`, and any other with the log. */
static void answer(const struct place *place, const char *report, const char *log)
{
        put(place, "bin/ssh",
            "#!/bin/sh\ncase \"$*\" in *machine-recipe*) cat >/dev/null & printf '%b' \"$(cat \"$SAID.report\")\";; "
            "*) cat >/dev/null & cat \"$SAID\";; esac\n",
            0700);
        put(place, "said.report", report, 0600);
        put(place, "said", log, 0600);
}

static struct error *run_step(struct place *place)
{
        struct recipe_step step = { .kind = RECIPE_SHELL,
                                    .id = (char *)"shell-x",
                                    .title = (char *)"x",
                                    .hash = (char *)"1",
                                    .file = "provision.toml",
                                    .line = 3,
                                    .column = 1 };
        struct recipe_part part = { .name = (char *)"base", .steps = &step, .step_count = 1 };
        _cleanup_(freep) char *logs = in(place, "logs");
        struct error *error = NULL;

        place->vm.record.user = (char *)"dev";
        assert_int_equal(recipe_run(&(struct recipe_run){ .vm = &place->vm,
                                                          .part = &part,
                                                          .files = &(struct recipe_run_files)RECIPE_RUN_FILES_INIT,
                                                          .logs = logs,
                                                          .again = "machine up blog",
                                                          .without = &(struct strv)STRV_INIT },
                                    &error),
                         -1);
        return error;
}

#define FAILED "begin\\tshell-x\\nend\\tshell-x\\tfailed\\t60\\nwhole\\n"

static void a_failed_step_says_why_in_one_line_and_names_its_log(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL, *hint = NULL, *log = NULL;
        struct place *place = *state;
        struct stat status;

        answer(place, FAILED, "first\nE: Unable to locate package gti\nlast\n");
        error = run_step(place);
        text = error_text(error);
        assert_string_equal(text, "provision.toml:3:1: step 'shell-x' of the recipe's part 'base' failed with exit status 60: "
                                  "E: Unable to locate package gti");
        log = in(place, "logs/recipe-base-shell-x.log");
        hint = xasprintf("less '%s'; when it is fixed, go on from there with: machine up blog", log);
        assert_string_equal(error->hint, hint);
        assert_int_equal(stat(log, &status), 0);
        /* It doesn't pass by itself. */
        error_again(&error, "machine up blog");
        assert_string_equal(error->hint, hint);
}

static void a_ca_that_is_not_trusted_leads_to_the_setting(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *hint = NULL;
        struct place *place = *state;

        answer(place, FAILED, UNTRUSTED "\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify\n");
        error = run_step(place);
        assert_non_null(strstr(error->cause->message, "exit status 60: " UNTRUSTED));
        hint = xasprintf("the guest does not trust the CA that signed this; if this computer does, write trust_host_ca = true "
                         "into '%s/config/machine/config.toml', then: machine up blog; all that it said: less "
                         "'%s/logs/recipe-base-shell-x.log'",
                         place->folder, place->folder);
        assert_string_equal(error->hint, hint);
}

static void with_the_setting_it_is_said_what_the_guest_was_given(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct place *place = *state;

        put(place, "config/machine/config.toml", "trust_host_ca = true\n", 0600);
        put(place, "ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 0600);
        set(place, "SSL_CERT_FILE", "ca.pem");
        answer(place, FAILED, UNTRUSTED "\n");
        error = run_step(place);
        assert_non_null(strstr(error->hint, "'trust_host_ca' is set, and the CAs of "));
        assert_non_null(strstr(error->hint, "/ca.pem"));
        assert_non_null(strstr(error->hint, "then: machine up blog"));
}

static void a_network_that_broke_off_is_worth_another_try(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *hint = NULL;
        struct place *place = *state;

        answer(place, FAILED, "curl: (56) Recv failure: Connection reset by peer\n");
        error = run_step(place);
        error_again(&error, "machine bake");
        hint = xasprintf("less '%s/logs/recipe-base-shell-x.log'; or run it again: machine bake goes on from where it stopped, "
                         "and a network that broke off often holds the next time",
                         place->folder);
        assert_string_equal(error->hint, hint);
}

static void what_a_vm_may_not_reach_does_not_pass(void **state)
{
        static const char said[] = "curl: (6) Could not resolve host: example.org\n";
        struct vm vm = { .record = { .egress = (char *)"allow" } };

        assert_false(advice_broke_off(&vm, said, strlen(said)));
        vm.record.egress = (char *)"open";
        assert_true(advice_broke_off(&vm, said, strlen(said)));
        vm.record.egress = NULL;
        assert_true(advice_broke_off(&vm, said, strlen(said)));
}

static void a_run_that_was_cut_off_is_worth_another_try(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct place *place = *state;

        answer(place, "begin\\tshell-x\\n", "");
        error = run_step(place);
        assert_non_null(strstr(error->message, "the recipe's part 'base' was cut off in VM 'blog'"));
        error_again(&error, "machine up blog");
        assert_string_equal(error->hint, "run it again: machine up blog goes on from where it stopped, and a connection that "
                                         "was cut off often holds the next time");
}

/* --- a repo's set-up */

static struct error *set_up(struct place *place, const char *said, int status)
{
        _cleanup_(freep) char *script = xasprintf("#!/bin/sh\ncat >/dev/null & cat \"$SAID\"; exit %d\n", status);
        _cleanup_(strv_clear) struct strv commands = STRV_INIT;
        struct error *error = NULL;

        put(place, "bin/ssh", script, 0700);
        put(place, "said", said, 0600);
        strv_add(&commands, "npm ci");
        assert_int_equal(setup_run(&place->vm, "web", &commands, NULL, &error), -1);
        return error;
}

static void a_failed_set_up_says_why_and_keeps_a_log(void **state)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(strbuf_clear) struct strbuf log = STRBUF_INIT;
        _cleanup_(freep) char *text = NULL, *hint = NULL, *path = NULL;
        struct place *place = *state;

        error = set_up(
                place,
                "command make\nE: of another command\ncommand npm ci\nnpm error code E404\nnpm error 404 Not Found\nbye\n", 1);
        text = error_text(error);
        assert_string_equal(text, "cannot set up 'web' by: npm ci: npm error 404 Not Found");
        path = in(place, "vm/logs/setup-web.log");
        hint = xasprintf("less '%s'; to try again: machine run blog -- sh -lc 'cd ~/code/web && npm ci'", path);
        assert_string_equal(error->hint, hint);
        assert_int_equal(error->kind, ERROR_STEP);
        assert_int_equal(file_read(path, 1000, &log, NULL), 0);
        assert_string_equal(log.buf, "npm error code E404\nnpm error 404 Not Found\nbye\n");
}

static void a_set_up_that_meets_an_untrusted_ca_leads_to_the_setting(void **state)
{
        _cleanup_(error_freep) struct error *error =
                set_up(*state, "command npm ci\nnpm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error A complete log\n", 1);

        assert_non_null(strstr(error->hint, "setup-web.log'; the guest does not trust the CA"));
        assert_non_null(strstr(error->hint, "write trust_host_ca = true into '"));
}

static void a_connection_that_ended_is_the_reason_itself(void **state)
{
        _cleanup_(error_freep) struct error *error = set_up(*state, "command npm ci\nadded 3 packages\n", 255);
        _cleanup_(freep) char *text = error_text(error);

        assert_non_null(strstr(text, "an ssh session with VM 'blog' failed"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_failed_step_says_why_in_one_line_and_names_its_log, start, end),
                cmocka_unit_test_setup_teardown(a_ca_that_is_not_trusted_leads_to_the_setting, start, end),
                cmocka_unit_test_setup_teardown(with_the_setting_it_is_said_what_the_guest_was_given, start, end),
                cmocka_unit_test_setup_teardown(a_network_that_broke_off_is_worth_another_try, start, end),
                cmocka_unit_test(what_a_vm_may_not_reach_does_not_pass),
                cmocka_unit_test_setup_teardown(a_run_that_was_cut_off_is_worth_another_try, start, end),
                cmocka_unit_test_setup_teardown(a_failed_set_up_says_why_and_keeps_a_log, start, end),
                cmocka_unit_test_setup_teardown(a_set_up_that_meets_an_untrusted_ca_leads_to_the_setting, start, end),
                cmocka_unit_test_setup_teardown(a_connection_that_ended_is_the_reason_itself, start, end),
        };

        return cmocka_run_group_tests_name("guest/failed", tests, NULL, NULL);
}
