/* Which .machine.toml files the user trusts. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/trust.h"
#include "mistakes.h"

#include "lib/file.h"
#include "lib/json.h"

struct fixture {
        char *root;
        char *file;  /* root/blog/.machine.toml, "cpus = 1\n" */
        char *store; /* trust.json */
};

static int setup(void **state)
{
        struct fixture *fixture = xcalloc(1, sizeof(*fixture));
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-trust-XXXXXX");
        _cleanup_(freep) char *states = NULL;
        _cleanup_(freep) char *checkout = NULL;

        assert_non_null(mkdtemp(folder));
        fixture->root = realpath(folder, NULL);
        states = path_join(fixture->root, "state");
        checkout = path_join(fixture->root, "blog");
        fixture->file = path_join(checkout, ".machine.toml");
        fixture->store = path_join(states, "machine/trust.json");
        assert_int_equal(setenv("XDG_STATE_HOME", states, 1), 0);
        assert_int_equal(file_make_folders(checkout, 0700, NULL), 0);
        assert_int_equal(file_write_text(fixture->file, "cpus = 1\n", 0600, NULL), 0);
        *state = fixture;
        return 0;
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;
        int status = file_remove(fixture->root, NULL);

        free(fixture->root);
        free(fixture->file);
        free(fixture->store);
        free(fixture);
        return status;
}

/* As a command does: reads the file once and asks about these bytes. */
static int ask(const char *file, enum trust *trust, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

        if (file_read(file, 1 << 20, &content, err) < 0)
                return -1;
        return trust_get(file, content.buf, content.len, trust, err);
}

static void assert_trust(const char *file, enum trust expected)
{
        _cleanup_(error_freep) struct error *error = NULL;
        enum trust trust = TRUST_UNKNOWN;

        if (ask(file, &trust, &error) < 0)
                fail_msg("%s", error->message);
        assert_int_equal(trust, expected);
}

static void give(const char *file, const char *content)
{
        assert_int_equal(trust_give(file, content, strlen(content), NULL), 0);
}

static void nothing_is_trusted_unasked(void **state)
{
        const struct fixture *fixture = *state;

        assert_trust(fixture->file, TRUST_UNKNOWN);
        assert_false(file_exists(fixture->store));
}

static void what_was_shown_is_trusted_and_nothing_else(void **state)
{
        const struct fixture *fixture = *state;

        give(fixture->file, "cpus = 1\n");
        assert_trust(fixture->file, TRUST_GIVEN);
        assert_int_equal(file_write_text(fixture->file, "cpus = 2\n", 0600, NULL), 0);
        assert_trust(fixture->file, TRUST_CHANGED);
        assert_int_equal(file_write_text(fixture->file, "cpus = 1\n", 0600, NULL), 0);
        assert_trust(fixture->file, TRUST_GIVEN);
}

static void a_file_that_changed_while_the_user_read_it_is_not_trusted(void **state)
{
        const struct fixture *fixture = *state;

        assert_int_equal(file_write_text(fixture->file, "lan = true\n", 0600, NULL), 0);
        give(fixture->file, "cpus = 1\n");
        assert_trust(fixture->file, TRUST_CHANGED);
}

static void trust_can_be_taken_back(void **state)
{
        const struct fixture *fixture = *state;

        assert_int_equal(trust_withdraw(fixture->file, NULL), 0);
        give(fixture->file, "cpus = 1\n");
        assert_int_equal(trust_withdraw(fixture->file, NULL), 0);
        assert_trust(fixture->file, TRUST_UNKNOWN);
}

static void trust_in_a_checkout_that_is_gone_can_be_taken_back(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *checkout = path_folder(fixture->file);

        give(fixture->file, "cpus = 1\n");
        assert_int_equal(file_remove(checkout, NULL), 0);
        assert_int_equal(trust_withdraw(fixture->file, NULL), 0);
        assert_int_equal(file_make_folders(checkout, 0700, NULL), 0);
        assert_int_equal(file_write_text(fixture->file, "cpus = 1\n", 0600, NULL), 0);
        assert_trust(fixture->file, TRUST_UNKNOWN);
}

static void trust_goes_by_the_resolved_folder(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *checkout = path_folder(fixture->file);
        _cleanup_(freep) char *link = path_join(fixture->root, "link");
        _cleanup_(freep) char *through = path_join(link, ".machine.toml");

        assert_int_equal(symlink(checkout, link), 0);
        give(through, "cpus = 1\n");
        assert_trust(fixture->file, TRUST_GIVEN);
        assert_trust(through, TRUST_GIVEN);
}

static void a_link_to_a_trusted_file_is_not_trusted(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *other = path_join(fixture->root, "other");
        _cleanup_(freep) char *file = path_join(other, ".machine.toml");

        assert_int_equal(file_make_folders(other, 0700, NULL), 0);
        assert_int_equal(symlink(fixture->file, file), 0);
        give(fixture->file, "cpus = 1\n");
        assert_trust(file, TRUST_UNKNOWN);
}

static void a_copy_is_not_trusted(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *copy = path_join(fixture->root, ".machine.toml");

        give(fixture->file, "cpus = 1\n");
        assert_int_equal(file_write_text(copy, "cpus = 1\n", 0600, NULL), 0);
        assert_trust(copy, TRUST_UNKNOWN);
}

static void the_record_is_the_users_alone(void **state)
{
        const struct fixture *fixture = *state;
        struct stat status;

        give(fixture->file, "cpus = 1\n");
        assert_int_equal(stat(fixture->store, &status), 0);
        assert_int_equal(status.st_mode & 0777, 0600);
}

static void a_missing_file_is_said_to_be(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(error_freep) struct error *error = NULL;
        enum trust trust = TRUST_GIVEN;

        assert_int_equal(file_remove(fixture->file, NULL), 0);
        assert_int_equal(ask(fixture->file, &trust, &error), -1);
        assert_int_equal(error->kind, ERROR_NOT_FOUND);
        assert_int_equal(trust, TRUST_GIVEN);
}

static void a_record_that_makes_no_sense_trusts_nothing(void **state)
{
        static const char *const stores[] = { "", "[]", "{", "7", "{\"a\": 1, \"a\": 2}" };
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *number = xasprintf("{\"%s\": 1}", fixture->file);

        give(fixture->file, "cpus = 1\n");
        for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
                _cleanup_(error_freep) struct error *error = NULL;
                enum trust trust = TRUST_UNKNOWN;

                assert_int_equal(file_write_text(fixture->store, stores[i], 0600, NULL), 0);
                assert_int_equal(ask(fixture->file, &trust, &error), -1);
                assert_non_null(strstr(error->hint, fixture->store));
                assert_int_equal(trust_give(fixture->file, "", 0, NULL), -1);
        }
        assert_int_equal(file_write_text(fixture->store, number, 0600, NULL), 0);
        assert_trust(fixture->file, TRUST_CHANGED);
}

/* Many processes write at once, each for its own folder. None is lost. */
static void trust_given_at_the_same_time_is_all_kept(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(json_decrefp) json_t *store = NULL;
        pid_t children[8];

        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                children[i] = fork();
                assert_true(children[i] >= 0);
                if (children[i] == 0) {
                        _cleanup_(freep) char *folder = xasprintf("%s/many-%zu", fixture->root, i);
                        _cleanup_(freep) char *file = path_join(folder, ".machine.toml");
                        bool done = file_make_folders(folder, 0700, NULL) == 0 && trust_give(file, "", 0, NULL) == 0;

                        _exit(done ? 0 : 1);
                }
        }
        for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
                int status;

                assert_int_equal(waitpid(children[i], &status, 0), children[i]);
                assert_int_equal(status, 0);
        }
        store = json_read(fixture->store, 1 << 20, NULL);
        assert_int_equal(json_object_size(store), ARRAY_SIZE(children));
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(nothing_is_trusted_unasked, setup, teardown),
                cmocka_unit_test_setup_teardown(what_was_shown_is_trusted_and_nothing_else, setup, teardown),
                cmocka_unit_test_setup_teardown(a_file_that_changed_while_the_user_read_it_is_not_trusted, setup, teardown),
                cmocka_unit_test_setup_teardown(trust_can_be_taken_back, setup, teardown),
                cmocka_unit_test_setup_teardown(trust_in_a_checkout_that_is_gone_can_be_taken_back, setup, teardown),
                cmocka_unit_test_setup_teardown(trust_goes_by_the_resolved_folder, setup, teardown),
                cmocka_unit_test_setup_teardown(a_link_to_a_trusted_file_is_not_trusted, setup, teardown),
                cmocka_unit_test_setup_teardown(a_copy_is_not_trusted, setup, teardown),
                cmocka_unit_test_setup_teardown(the_record_is_the_users_alone, setup, teardown),
                cmocka_unit_test_setup_teardown(a_missing_file_is_said_to_be, setup, teardown),
                cmocka_unit_test_setup_teardown(a_record_that_makes_no_sense_trusts_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(trust_given_at_the_same_time_is_all_kept, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
