/* How a project becomes a record, and which changes of a project a record follows. */
#include "fixture.h"

#include "operation/describe.h"

static struct project_port ports[] = { { .host = 8080, .guest = 80 } };
static struct project_repo repos[] = { { .url = (char *)"https://example.org/blog.git", .name = (char *)"blog" } };

/* Sets some of everything that a record takes from a project. */
static void fill(struct project *project)
{
        assert_int_equal(project_default(project, "blog", NULL, NULL), 0);
        project->cpus = 3;
        project->memory_bytes = 2 * GIB;
        project->disk_bytes = 10 * GIB;
        project->lan = true;
        project->confirm = true;
        strv_add(&project->keys, "SHA256:abc");
        strv_add(&project->profiles, "node");
}

static void a_new_vm_is_what_its_project_says(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;

        fill(&project);
        describe_record(&record, &project, "blog", "fake");
        assert_string_equal(record.name, "blog");
        assert_string_equal(record.owner, PROJECTS_OWNER);
        assert_string_equal(record.engine, "fake");
        assert_int_equal(record.cpus, 3);
        assert_true(record.memory_bytes == 2 * GIB && record.disk_bytes == 10 * GIB);
        assert_true(record.lan && record.confirm && !record.forward_agent);
        assert_int_equal(record.profiles.count, 1);
        assert_string_equal(record.keys.items[0], "SHA256:abc");
        assert_string_equal(record.egress, "open");
        assert_int_equal(strlen(record.uuid), 36);
        assert_int_equal(record.uuid[14], '4');
}

static void a_checkout_owns_its_vm(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;

        fill(&project);
        project.checkout = xstrdup("/somewhere/blog");
        describe_record(&record, &project, "blog", "fake");
        assert_string_equal(record.owner, "/somewhere/blog");
}

static void two_vms_never_have_the_same_identity(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record one = VM_RECORD_INIT;
        _cleanup_(vm_record_clear) struct vm_record two = VM_RECORD_INIT;

        fill(&project);
        describe_record(&one, &project, "blog", "fake");
        describe_record(&two, &project, "blog", "fake");
        assert_string_not_equal(one.uuid, two.uuid);
}

static void a_changed_project_is_followed_in_what_needs_no_new_vm(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        struct project changed;

        fill(&project);
        describe_record(&record, &project, "blog", "fake");
        changed = project;
        changed.lan = false;
        changed.cpus = 8;
        changed.ports = ports;
        changed.port_count = ARRAY_SIZE(ports);
        changed.repos = repos;
        changed.repo_count = ARRAY_SIZE(repos);
        describe_changes(&record, &changed);
        assert_false(record.lan);
        assert_int_equal(record.port_count, 1);
        assert_int_equal(record.ports[0].guest, 80);
        assert_int_equal(record.repos.count, 1);
        /* Only a start takes this over. */
        assert_int_equal(record.cpus, 3);
        describe_changes(&record, &project);
        assert_int_equal(record.port_count, 0);
        assert_int_equal(record.repos.count, 0);
        assert_true(record.lan);
}

static void a_disk_only_grows_and_only_where_the_engine_can(void **state)
{
        static const struct engine growing = { .name = "growing", .grows_disk = true };
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;

        fill(&project);
        describe_record(&record, &project, "blog", "fake");
        project.cpus = 5;
        project.disk_bytes = 20 * GIB;
        describe_sizes(&record, &project, &fake_engine);
        assert_int_equal(record.cpus, 5);
        assert_true(record.disk_bytes == 10 * GIB);
        describe_sizes(&record, &project, &growing);
        assert_true(record.disk_bytes == 20 * GIB);
        project.disk_bytes = 5 * GIB;
        describe_sizes(&record, &project, &growing);
        assert_true(record.disk_bytes == 20 * GIB);
}

static void keys_that_commits_need_replace_those_of_before(void **state)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;

        strv_add(&record.needed_keys, "old");
        strv_add(&commits.keys, "new");
        describe_needs(&record, &commits);
        assert_int_equal(record.needed_keys.count, 1);
        assert_string_equal(record.needed_keys.items[0], "new");
}

static void a_fork_is_another_vm_without_ports(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(vm_record_clear) struct vm_record fork = VM_RECORD_INIT;

        fill(&project);
        describe_record(&record, &project, "blog", "fake");
        set_string(&record.owner, xstrdup("/src/blog"));
        set_string(&record.former, xstrdup("old"));
        record.ports = xcalloc(1, sizeof(*record.ports));
        record.port_count = 1;
        describe_fork(&fork, &record, "blog-2");
        assert_string_equal(fork.name, "blog-2");
        assert_string_equal(fork.owner, PROJECTS_OWNER);
        assert_string_not_equal(fork.uuid, record.uuid);
        assert_null(fork.former);
        assert_string_equal(fork.fork_of, "blog");
        assert_false(fork.race);
        /* Its code is in the folder that is named after the checkout, which stays the first VM's. */
        assert_string_equal(vm_record_checkout(&fork), "/src/blog");
        assert_int_equal(fork.port_count, 0);
        assert_int_equal(fork.intent, INTENT_CREATE);
        assert_int_equal(fork.cpus, 3);
        assert_true(fork.lan && fork.confirm && fork.memory_bytes == 2 * GIB);
        assert_string_equal(fork.keys.items[0], "SHA256:abc");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_new_vm_is_what_its_project_says),
                TEST(a_checkout_owns_its_vm),
                TEST(two_vms_never_have_the_same_identity),
                TEST(a_changed_project_is_followed_in_what_needs_no_new_vm),
                TEST(a_disk_only_grows_and_only_where_the_engine_can),
                TEST(a_fork_is_another_vm_without_ports),
                TEST(keys_that_commits_need_replace_those_of_before),
        };

        return cmocka_run_group_tests_name("operation/describe", tests, NULL, NULL);
}
