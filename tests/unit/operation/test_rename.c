/* A VM gets another name: what goes along, what is refused, what is said, and what an interrupted run has left. */
#include "fixture.h"

#include "host/ssh_config.h"
#include "lib/process.h"
#include "operation/rename.h"
#include "operation/up.h"

static const char *folder;

static int setup(void **state)
{
        folder = *state;
        if (fixture_setup(state) < 0)
                return -1;
        folder = *state;
        setenv("GIT_CONFIG_GLOBAL", "/dev/null", 1);
        return 0;
}

static char *published(void)
{
        _cleanup_(freep) char *path = path_join(folder, "MACHINE_SSH_DIR/config.d/machine");

        return file_exists(path) ? scratch_read(path) : xstrdup("");
}

static void publish(const char *name)
{
        assert_int_equal(ssh_config_publish(
                                 &(struct ssh_host){ .name = name, .folder = folder, .user = "me", .program = "/bin/machine" },
                                 NULL),
                         0);
}

static void shell(const char *script)
{
        const char *const argv[] = { "sh", "-euc", script, NULL };

        assert_int_equal(process_check(&(struct process_spec){ .argv = argv, .folder = folder }, NULL, NULL), 0);
}

static bool is_there(const char *name)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        assert_int_equal(vm_open(&vm, name, NULL), 0);
        return vm.exists;
}

static void expect_renamed(const char *from, const char *to)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (rename_vm(&front, from, to, &vm, &error) < 0)
                fail_msg("%s", error->message);
        assert_string_equal(vm.name, to);
        assert_string_equal(vm.record.name, to);
        assert_true(vm.lock.fd >= 0);
        assert_true(is_there(to));
        assert_false(is_there(from));
}

static void expect_refused(const char *from, const char *to, const char *message, const char *hint)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        assert_int_equal(rename_vm(&front, from, to, &vm, &error), -1);
        if (!strstr(error->message, message))
                fail_msg("%s", error->message);
        if (hint && (!error->hint || !strstr(error->hint, hint)))
                fail_msg("%s", error->hint ? error->hint : "no hint");
}

/* --- what goes along */

static void all_that_names_it_follows(void **state)
{
        _cleanup_(freep) char *ssh = NULL;

        fixture_projects("[weblog]\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        shell("umask 077; mkdir -p XDG_RUNTIME_DIR/machine/blog; touch XDG_RUNTIME_DIR/machine/blog/ready; "
              "printf 'ssh-ed25519 AAAA x\\n' >XDG_STATE_HOME/machine/vms/blog/host_key.pub; "
              "echo kept >XDG_STATE_HOME/machine/vms/blog/disk.qcow2");
        publish("blog");
        publish("other");
        expect_renamed("blog", "weblog");
        assert_string_equal(fake.warnings, "");
        ssh = published();
        assert_non_null(strstr(ssh, "Host machine-weblog\n"));
        assert_null(strstr(ssh, "machine-blog"));
        assert_non_null(strstr(ssh, "Host machine-other\n"));
        shell("test ! -e XDG_RUNTIME_DIR/machine/blog; test \"$(cat XDG_STATE_HOME/machine/vms/weblog/disk.qcow2)\" = kept; "
              "grep -q '^machine-weblog ' XDG_STATE_HOME/machine/vms/weblog/known_hosts; "
              "! grep -q former.:..blog XDG_STATE_HOME/machine/vms/weblog/vm.json");
        assert_string_equal(fake.warnings, "");
        assert_string_equal(fake.calls, "");
}

static void the_remote_of_its_checkout_follows(void **state)
{
        _cleanup_(freep) char *checkout = path_join(folder, "HOME/here");

        shell("mkdir -p HOME/here; cd HOME/here; git init -q .; git config remote.machine.url machine-blog:code/here; "
              "printf 'name = \"weblog\"\\n' >.machine.toml");
        fixture_vm("blog", checkout, INTENT_NONE);
        expect_renamed("blog", "weblog");
        shell("test \"$(git -C HOME/here config remote.machine.url)\" = machine-weblog:code/here");
        assert_string_equal(fake.warnings, "");
}

/* --- what a person has to edit */

static void what_has_to_be_edited_is_said_and_left_alone(void **state)
{
        _cleanup_(freep) char *checkout = path_join(folder, "HOME/here");

        fixture_projects("\n[blog]\ncpus = 1\n[blog.secrets]\nA = \"op://a/b/c\"\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        expect_renamed("blog", "weblog");
        assert_non_null(strstr(fake.warnings,
                               "projects.toml:2: still calls the project 'blog': write [weblog], and 'weblog' in its "
                               "further tables, or the next 'machine up blog' makes a new VM"));
        shell("grep -q '^.blog.$' XDG_CONFIG_HOME/machine/projects.toml");
        fake.warnings[0] = '\0';
        shell("mkdir -p HOME/here; touch HOME/here/.machine.toml");
        fixture_vm("here", checkout, INTENT_NONE);
        expect_renamed("here", "there");
        assert_non_null(strstr(fake.warnings, "write name = \"there\" into '"));
        assert_non_null(strstr(fake.warnings, "/HOME/here/.machine.toml', or the next 'machine up' there makes a new VM"));
        shell("test ! -s HOME/here/.machine.toml");
}

/* --- what is refused */

static void a_name_that_is_taken_or_no_name_is_refused(void **state)
{
        fixture_projects("[blog]\n[shop]\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        fixture_vm("wiki", NULL, INTENT_NONE);
        fixture_vm("theirs", "/somewhere", INTENT_NONE);
        expect_refused("blog", "wiki", "the name 'wiki' is taken: there is a VM with it", "choose another name");
        expect_refused("blog", "shop", "the name 'shop' is taken: it is another project, in '", NULL);
        expect_refused("blog", "shop", "projects.toml' at line 2", NULL);
        expect_refused("theirs", "shop", "the name 'shop' is taken: it is another project", NULL);
        expect_refused("theirs", "default", "the name 'default' is taken: the VM that is used outside of all projects", NULL);
        expect_refused("blog", "Web Log", "'Web Log' can't be a project's name", "names have a-z");
        expect_refused("blog", "blog", "VM 'blog' has that name already", NULL);
        expect_refused("nobody", "somebody", "no VM 'nobody'", "machine list");
        assert_true(is_there("blog") && is_there("wiki") && is_there("theirs"));
}

static void what_runs_or_is_half_there_is_refused(void **state)
{
        static const struct {
                enum vm_intent intent;
                enum vm_state state;
                const char *message, *hint;
        } cases[] = {
                { INTENT_NONE, VM_RUNNING, "VM 'blog' is running, and can get another name only while it is stopped",
                  "machine down blog" },
                { INTENT_NONE, VM_PAUSED, "VM 'blog' is paused, and can", "machine down blog" },
                { INTENT_CREATE, VM_STOPPED, "VM 'blog' is only half made", "machine up blog" },
                { INTENT_DESTROY, VM_STOPPED, "VM 'blog' is only half removed", "machine destroy blog" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                fixture_vm("blog", NULL, cases[i].intent);
                fake.state = cases[i].state;
                expect_refused("blog", "weblog", cases[i].message, cases[i].hint);
                assert_true(is_there("blog") && !is_there("weblog"));
        }
}

static void an_engine_that_keeps_a_vm_under_its_name_refuses(void **state)
{
        static struct engine keeps;
        static const struct engine *const engines[] = { &keeps, NULL };

        keeps = fake_engine;
        keeps.renames = false;
        fixture_vm("blog", NULL, INTENT_NONE);
        vm_set_engines(engines);
        expect_refused("blog", "weblog", "engine 'fake' can't give VM 'blog' another name",
                       "machine destroy blog --save FILE; machine up weblog --from FILE");
        assert_true(is_there("blog"));
}

static void a_vm_whose_code_is_in_a_folder_of_its_name_is_refused(void **state)
{
        fixture_vm("blog", "/somewhere/-", INTENT_NONE);
        expect_refused("blog", "weblog", "the code of VM 'blog' is in '~/code/blog', which is named after the VM", NULL);
}

/* --- an interrupted run */

/* As a run leaves it that is killed right after the folder got its name. */
static void interrupt(void)
{
        fixture_projects("[weblog]\nrepos = []\n");
        fixture_vm("blog", NULL, INTENT_NONE);
        publish("blog");
        shell("cd XDG_STATE_HOME/machine/vms; sed -i 's/\"becomes\": *null/\"becomes\": \"weblog\"/' blog/vm.json blog/vm.json.copy; "
              "grep -q '\"becomes\": *\"weblog\"' blog/vm.json; mv blog weblog");
}

static void the_same_command_completes_it(void **state)
{
        _cleanup_(freep) char *ssh = NULL;

        interrupt();
        assert_true(is_there("weblog") && !is_there("blog"));
        expect_renamed("blog", "weblog");
        ssh = published();
        assert_non_null(strstr(ssh, "Host machine-weblog\n"));
        assert_null(strstr(ssh, "machine-blog"));
}

static void the_next_up_completes_it_too(void **state)
{
        _cleanup_(freep) char *ssh = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        interrupt();
        assert_int_equal(vm_open(&vm, "weblog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        assert_string_equal(vm.record.former, "blog");
        assert_int_equal(rename_follow(&front, &vm, NULL), 0);
        assert_null(vm.record.former);
        ssh = published();
        assert_null(strstr(ssh, "machine-blog"));
}

/* What has the old name by now is another VM's. */
static void another_vm_of_the_old_name_keeps_what_it_has(void **state)
{
        _cleanup_(freep) char *ssh = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        interrupt();
        fixture_vm("blog", NULL, INTENT_NONE);
        assert_int_equal(vm_open(&vm, "weblog", NULL), 0);
        assert_int_equal(vm_lock(&vm, NULL, NULL), 0);
        assert_int_equal(rename_follow(&front, &vm, NULL), 0);
        ssh = published();
        assert_non_null(strstr(ssh, "Host machine-blog\n"));
        assert_non_null(strstr(ssh, "Host machine-weblog\n"));
}

static void what_cant_be_changed_is_a_warning_and_is_tried_again(void **state)
{
        _cleanup_(freep) char *ssh = NULL;

        interrupt();
        /* A folder in the place of the file. */
        shell("rm MACHINE_SSH_DIR/config.d/machine; mkdir -p MACHINE_SSH_DIR/config.d/machine/x");
        expect_renamed("blog", "weblog");
        assert_string_not_equal(fake.warnings, "");
        shell("rm -r MACHINE_SSH_DIR/config.d/machine");
        publish("blog");
        fake.warnings[0] = '\0';
        expect_renamed("blog", "weblog");
        assert_string_equal(fake.warnings, "");
        ssh = published();
        assert_null(strstr(ssh, "machine-blog"));
}

#undef TEST
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                TEST(all_that_names_it_follows),
                TEST(the_remote_of_its_checkout_follows),
                TEST(what_has_to_be_edited_is_said_and_left_alone),
                TEST(a_name_that_is_taken_or_no_name_is_refused),
                TEST(what_runs_or_is_half_there_is_refused),
                TEST(an_engine_that_keeps_a_vm_under_its_name_refuses),
                TEST(a_vm_whose_code_is_in_a_folder_of_its_name_is_refused),
                TEST(the_same_command_completes_it),
                TEST(the_next_up_completes_it_too),
                TEST(another_vm_of_the_old_name_keeps_what_it_has),
                TEST(what_cant_be_changed_is_a_warning_and_is_tried_again),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
