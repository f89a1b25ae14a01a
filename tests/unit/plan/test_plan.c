/* The plan for every record, state and intent, as a table, and then the plan for a changed configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "plan/plan.h"

#define GIB (1024LL * 1024 * 1024)

static struct project_repo wanted_repos[] = {
        { .url = (char *)"https://example.org/blog.git", .name = (char *)"blog" },
        { .url = (char *)"https://example.org/theme.git", .name = (char *)"theme" },
};
static struct project_port wanted_ports[] = { { .host = 8080, .guest = 80 }, { .host = 3000, .guest = 3000 } };
static struct vm_port record_ports[] = { { .host = 3000, .guest = 3000 }, { .host = 8080, .guest = 80 } };

static struct project wanted_blog(void)
{
        struct project project = {
                .name = (char *)"blog",
                .shell = (char *)"zsh",
                .engine = (char *)"auto",
                .egress = (char *)"open",
                .park_after = (char *)"30m",
                .wake_on = (char *)"local",
                .cpus = 4,
                .memory_bytes = 4 * GIB,
                .disk_bytes = 30 * GIB,
                .repos = wanted_repos,
                .repo_count = ARRAY_SIZE(wanted_repos),
                .ports = wanted_ports,
                .port_count = ARRAY_SIZE(wanted_ports),
        };

        strv_adds(&project.profiles, "node", "docker", NULL);
        return project;
}

/* A record that has all that wanted_blog() asks for. */
static struct vm_record recorded_blog(enum vm_intent intent)
{
        struct vm_record record = {
                .intent = intent,
                .name = (char *)"blog",
                .engine = (char *)"qemu",
                .shell = (char *)"zsh",
                .cpus = 4,
                .memory_bytes = 4 * GIB,
                .disk_bytes = 30 * GIB,
                .ports = record_ports,
                .port_count = ARRAY_SIZE(record_ports),
        };

        strv_adds(&record.profiles, "node", "docker", NULL);
        strv_adds(&record.repos, wanted_repos[0].url, wanted_repos[1].url, NULL);
        return record;
}

static void forget(struct project *project, struct vm_record *record, struct plan *plan)
{
        strv_clear(&project->profiles);
        strv_clear(&record->profiles);
        strv_clear(&record->repos);
        plan_clear(plan);
}

static char *steps_text(const struct plan *plan)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < plan->count; i++) {
                assert_non_null(plan->steps[i].reason);
                assert_true(*plan->steps[i].reason);
                strbuf_addf(&text, "%s%s", i ? " " : "", plan_step_name(plan->steps[i].type));
        }
        return strbuf_take(&text);
}

#define NO_RECORD (-1)

static const struct {
        int intent;
        enum vm_state state;
        const char *steps; /* NULL = refused */
} table[] = {
        { NO_RECORD, VM_ABSENT, "create start repos publish" },
        { NO_RECORD, VM_STOPPED, NULL },
        { NO_RECORD, VM_RUNNING, NULL },
        { NO_RECORD, VM_PARKED, NULL },
        { NO_RECORD, VM_BROKEN, NULL },
        { NO_RECORD, VM_PAUSED, NULL },
        { NO_RECORD, VM_UNRESPONSIVE, NULL },

        { INTENT_NONE, VM_ABSENT, NULL },
        { INTENT_NONE, VM_STOPPED, "start repos publish" },
        { INTENT_NONE, VM_RUNNING, "repos" },
        { INTENT_NONE, VM_PARKED, "start repos publish" },
        { INTENT_NONE, VM_BROKEN, NULL },
        { INTENT_NONE, VM_PAUSED, "start repos" },
        { INTENT_NONE, VM_UNRESPONSIVE, "start repos" },

        { INTENT_SETUP, VM_ABSENT, NULL },
        { INTENT_SETUP, VM_STOPPED, "start repos publish" },
        { INTENT_SETUP, VM_RUNNING, "start repos publish" },
        { INTENT_SETUP, VM_PARKED, "start repos publish" },
        { INTENT_SETUP, VM_BROKEN, NULL },
        { INTENT_SETUP, VM_PAUSED, "start repos publish" },
        { INTENT_SETUP, VM_UNRESPONSIVE, "start repos publish" },

        { INTENT_CREATE, VM_ABSENT, "discard create start repos publish" },
        { INTENT_CREATE, VM_STOPPED, "discard create start repos publish" },
        { INTENT_CREATE, VM_RUNNING, "discard create start repos publish" },
        { INTENT_CREATE, VM_PARKED, "discard create start repos publish" },
        { INTENT_CREATE, VM_BROKEN, "discard create start repos publish" },
        { INTENT_CREATE, VM_PAUSED, "discard create start repos publish" },
        { INTENT_CREATE, VM_UNRESPONSIVE, "discard create start repos publish" },

        { INTENT_DESTROY, VM_ABSENT, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_STOPPED, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_RUNNING, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_PARKED, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_BROKEN, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_PAUSED, "finish-destroy create start repos publish" },
        { INTENT_DESTROY, VM_UNRESPONSIVE, "finish-destroy create start repos publish" },
};

static void every_record_and_state_has_its_steps_or_a_refusal(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                bool has_record = table[i].intent != NO_RECORD;
                struct vm_record record = recorded_blog(has_record ? (enum vm_intent)table[i].intent : INTENT_NONE);
                struct plan_observed observed = { .record = has_record ? &record : NULL, .state = table[i].state };
                struct project wanted = wanted_blog();
                struct plan plan = PLAN_INIT;
                struct error *err = NULL;
                int status = plan_up(&wanted, &observed, &plan, &err);

                print_message("row %zu: intent %d, state %s\n", i, table[i].intent, vm_state_name(table[i].state));
                if (table[i].steps) {
                        _cleanup_(freep) char *steps = steps_text(&plan);

                        assert_int_equal(status, 0);
                        assert_string_equal(steps, table[i].steps);
                        assert_int_equal(plan.notes.count, 0);
                } else {
                        assert_int_equal(status, -1);
                        assert_int_equal(err->kind, ERROR_ENGINE);
                        assert_non_null(err->hint);
                        assert_non_null(strstr(err->message, "'blog'"));
                        assert_true(!observed.record == !!strstr(err->message, "but there is no record of it"));
                        assert_int_equal(plan.count, 0);
                }
                error_free(err);
                forget(&wanted, &record, &plan);
        }
}

static void the_table_has_every_combination_once(void **state)
{
        for (int intent = NO_RECORD; intent <= INTENT_DESTROY; intent++)
                for (int vm = VM_ABSENT; vm <= VM_UNRESPONSIVE; vm++) {
                        size_t found = 0;

                        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                                found += table[i].intent == intent && (int)table[i].state == vm;
                        assert_int_equal(found, 1);
                }
}

/* What a case changes in an otherwise complete VM, and the plan for that. */
struct change {
        const char *title;
        enum vm_state state;
        void (*apply)(struct project *wanted, struct vm_record *record);
        const char *steps;
        const char *reason; /* part of the first step's reason; NULL = not checked */
        const char *note;   /* part of the only note; NULL = no note */
        const char *recipe; /* the wanted one; NULL = none */
};

static void without_repos(struct project *wanted, struct vm_record *record)
{
        wanted->repo_count = 0;
        strv_clear(&record->repos);
}

static void new_repo(struct project *wanted, struct vm_record *record)
{
        strv_clear(&record->repos);
        strv_add(&record->repos, wanted_repos[0].url);
}

static void other_committer(struct project *wanted, struct vm_record *record)
{
        record->git = (char *)"before";
}

static void other_recipe(struct project *wanted, struct vm_record *record)
{
        record->recipe = (char *)"before";
}

static void a_failed_step(struct project *wanted, struct vm_record *record)
{
        static char *lacks[] = { (char *)"base/uv_tool-2 uv: aider", (char *)"base/npm_global npm: codex" };

        record->recipe = (char *)"now";
        record->lacks = (struct strv){ .items = lacks, .count = 2 };
}

static void removed_repo(struct project *wanted, struct vm_record *record)
{
        strv_add(&record->repos, "https://example.org/old.git");
}

static void other_port(struct project *wanted, struct vm_record *record)
{
        static struct project_port ports[] = { { .host = 8081, .guest = 80 }, { .host = 3000, .guest = 3000 } };

        wanted->ports = ports;
}

static void one_port_less(struct project *wanted, struct vm_record *record)
{
        wanted->port_count = 1;
}

static void other_lan(struct project *wanted, struct vm_record *record)
{
        wanted->lan = true;
}

static void other_agent(struct project *wanted, struct vm_record *record)
{
        wanted->forward_agent = true;
}

static void other_cpus(struct project *wanted, struct vm_record *record)
{
        wanted->cpus = 8;
}

static void other_memory(struct project *wanted, struct vm_record *record)
{
        wanted->memory_bytes = 8 * GIB;
}

static void other_disk(struct project *wanted, struct vm_record *record)
{
        wanted->disk_bytes = 60 * GIB;
}

static void other_shell(struct project *wanted, struct vm_record *record)
{
        wanted->shell = (char *)"bash";
}

static void other_image(struct project *wanted, struct vm_record *record)
{
        wanted->image = (char *)"/srv/debian.qcow2";
}

static void other_engine(struct project *wanted, struct vm_record *record)
{
        wanted->engine = (char *)"lima";
}

static void same_engine_by_name(struct project *wanted, struct vm_record *record)
{
        wanted->engine = (char *)"qemu";
}

static void profiles_in_another_order(struct project *wanted, struct vm_record *record)
{
        strv_clear(&wanted->profiles);
        strv_adds(&wanted->profiles, "docker", "node", NULL);
}

static void no_profiles(struct project *wanted, struct vm_record *record)
{
        strv_clear(&wanted->profiles);
}

static void clients_to_ask(struct project *wanted, struct vm_record *record)
{
        record->ask_clients = true;
}

static const struct change changes[] = {
        { "a complete VM without repos needs nothing", VM_RUNNING, without_repos, "", NULL, NULL },
        { "a new repo is brought in", VM_RUNNING, new_repo, "repos", "'https://example.org/theme.git' is new", NULL },
        { "who commits is told when it changed", VM_RUNNING, other_committer, "git repos", "changed", NULL },
        { "a recipe is run", VM_RUNNING, without_repos, "provision", "not applied yet", NULL, "now" },
        { "a changed recipe is run", VM_RUNNING, other_recipe, "provision repos", "changed", NULL, "now" },
        { "the same recipe is not", VM_RUNNING, other_recipe, "repos", NULL, NULL, "before" },
        { "what failed of it is tried again", VM_RUNNING, a_failed_step, "provision repos",
          "to try again what failed: uv: aider, npm: codex", NULL, "now" },
        { "clients are asked before there is code", VM_RUNNING, clients_to_ask, "clients repos", "interrupted", NULL },
        { "a removed repo is noted and kept", VM_RUNNING, removed_repo, "repos", NULL,
          "VM 'blog' has https://example.org/old.git" },
        { "a changed port restarts", VM_RUNNING, other_port, "restart start repos publish", "'ports'", NULL },
        { "a port less restarts", VM_RUNNING, one_port_less, "restart start repos publish", "'ports'", NULL },
        { "a changed lan restarts", VM_RUNNING, other_lan, "restart start repos publish", "'lan'", NULL },
        { "a changed port of a stopped VM just starts", VM_STOPPED, other_port, "start repos publish", "stopped", NULL },
        { "agent forwarding is published", VM_RUNNING, other_agent, "repos publish", NULL, NULL },
        { "cpus of a running VM are noted", VM_RUNNING, other_cpus, "repos", NULL,
          "cpus: VM 'blog' has 4, the configuration says 8; takes effect at the next start: machine restart blog" },
        { "memory of a stopped one comes with the start", VM_STOPPED, other_memory, "start repos publish", NULL, NULL },
        { "disk is noted", VM_RUNNING, other_disk, "repos", NULL, "disk: VM 'blog' has 30 GiB" },
        { "shell is noted", VM_RUNNING, other_shell, "repos", NULL, "shell: VM 'blog' has zsh" },
        { "an image is noted", VM_RUNNING, other_image, "repos", NULL, "image: VM 'blog' has its engine's own" },
        { "engine is noted", VM_RUNNING, other_engine, "repos", NULL, "engine: VM 'blog' has qemu" },
        { "the engine it has is no change", VM_RUNNING, same_engine_by_name, "repos", NULL, NULL },
        { "the order of profiles counts", VM_RUNNING, profiles_in_another_order, "repos", NULL, "says docker, node" },
        { "no profile any more is noted", VM_RUNNING, no_profiles, "repos", NULL, "the configuration says none" },
};

static void a_changed_configuration_is_carried_out_or_noted(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
                struct vm_record record = recorded_blog(INTENT_NONE);
                struct project wanted = wanted_blog();
                struct plan_observed observed = { .record = &record, .state = changes[i].state, .recipe = changes[i].recipe };
                struct plan plan = PLAN_INIT;
                _cleanup_(freep) char *steps = NULL;

                print_message("%s\n", changes[i].title);
                changes[i].apply(&wanted, &record);
                assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), 0);
                steps = steps_text(&plan);
                assert_string_equal(steps, changes[i].steps);
                if (changes[i].reason)
                        assert_non_null(strstr(plan.steps[0].reason, changes[i].reason));
                assert_int_equal(plan.notes.count, changes[i].note ? 1 : 0);
                if (changes[i].note)
                        assert_non_null(strstr(plan.notes.items[0], changes[i].note));
                forget(&wanted, &record, &plan);
        }
}

static void a_refusal_leaves_the_plan_untouched(void **state)
{
        struct vm_record record = recorded_blog(INTENT_NONE);
        struct project wanted = wanted_blog();
        struct plan_observed observed = { .record = &record, .state = VM_RUNNING };
        struct plan plan = PLAN_INIT;

        assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), 0);
        observed.state = VM_BROKEN;
        assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), -1);
        assert_int_equal(plan.count, 1);
        assert_int_equal(plan.steps[0].type, PLAN_REPOS);
        forget(&wanted, &record, &plan);
}

static void a_new_vm_is_asked_before_there_is_code(void **state)
{
        struct project wanted = wanted_blog();
        struct plan_observed observed = { .state = VM_ABSENT, .recipe = "now" };
        struct vm_record none = { 0 };
        struct plan plan = PLAN_INIT;
        _cleanup_(freep) char *steps = NULL;

        wanted.egress = (char *)"allow";
        strv_adds(&wanted.allow, "@npm", "@go", NULL);
        assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), 0);
        steps = steps_text(&plan);
        assert_string_equal(steps, "create start provision clients repos publish");
        assert_non_null(strstr(plan.steps[3].reason, "'@npm, @go'"));
        strv_clear(&wanted.allow);
        forget(&wanted, &none, &plan);
}

static void a_running_vm_that_has_lost_something_is_started_for_that(void **state)
{
        struct project wanted = wanted_blog();
        struct vm_record record = recorded_blog(INTENT_NONE);
        const struct plan_observed observed = { .record = &record, .state = VM_RUNNING, .lost = "its network" };
        struct plan plan = PLAN_INIT;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), 0);
        text = steps_text(&plan);
        assert_true(starts_with(text, "start "));
        assert_string_equal(plan.steps[0].reason, "VM 'blog' has lost its network");
        assert_true(plan.running);
        forget(&wanted, &record, &plan);
}

static void a_new_vm_has_no_drift(void **state)
{
        struct vm_record record = recorded_blog(INTENT_CREATE);
        struct project wanted = wanted_blog();
        struct plan_observed observed = { .record = &record, .state = VM_ABSENT };
        struct plan plan = PLAN_INIT;

        other_cpus(&wanted, &record);
        assert_int_equal(plan_up(&wanted, &observed, &plan, NULL), 0);
        assert_int_equal(plan.notes.count, 0);
        forget(&wanted, &record, &plan);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_record_and_state_has_its_steps_or_a_refusal),
                cmocka_unit_test(the_table_has_every_combination_once),
                cmocka_unit_test(a_changed_configuration_is_carried_out_or_noted),
                cmocka_unit_test(a_refusal_leaves_the_plan_untouched),
                cmocka_unit_test(a_new_vm_is_asked_before_there_is_code),
                cmocka_unit_test(a_running_vm_that_has_lost_something_is_started_for_that),
                cmocka_unit_test(a_new_vm_has_no_drift),
        };

        return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
