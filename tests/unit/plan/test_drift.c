/* Each thing that can differ between a VM and its configuration, and what changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "plan/drift.h"

#define GIB (INT64_C(1) << 30)

static struct project_repo repos[] = { { .url = (char *)"https://example.org/blog.git", .name = (char *)"blog" } };
static struct project_port two_ports[] = { { .host = 8080, .guest = 80 }, { .host = 3000, .guest = 3000 } };
static struct vm_port same_two_ports[] = { { .host = 3000, .guest = 3000 }, { .host = 8080, .guest = 80 } };

/* A VM that is as its project wants it. Each case changes something. */
struct pair {
        struct project wanted;
        struct vm_record record;
        struct plan_observed seen;
};

static void pair_make(struct pair *pair)
{
        *pair = (struct pair){
                .wanted = { .name = (char *)"blog",
                            .shell = (char *)"zsh",
                            .engine = (char *)"auto",
                            .egress = (char *)"open",
                            .park_after = (char *)"30m",
                            .wake_on = (char *)"local",
                            .cpus = 4,
                            .memory_bytes = 4 * GIB,
                            .disk_bytes = 30 * GIB,
                            .repos = repos,
                            .repo_count = 1,
                            .ports = two_ports,
                            .port_count = 2 },
                .record = { .name = (char *)"blog",
                            .shell = (char *)"zsh",
                            .engine = (char *)"qemu",
                            .recipe = (char *)"r1",
                            .git = (char *)"g1",
                            .cpus = 4,
                            .memory_bytes = 4 * GIB,
                            .disk_bytes = 30 * GIB,
                            .ports = same_two_ports,
                            .port_count = 2 },
                .seen = { .state = VM_RUNNING, .recipe = "r1", .git = "g1", .grows_disk = true },
        };
        strv_adds(&pair->wanted.profiles, "node", "go", NULL);
        strv_adds(&pair->record.profiles, "node", "go", NULL);
        strv_add(&pair->record.repos, repos[0].url);
}

static void pair_clear(struct pair *pair)
{
        strv_clear(&pair->wanted.profiles);
        strv_clear(&pair->wanted.allow);
        strv_clear(&pair->wanted.keys);
        strv_clear(&pair->record.keys);
        strv_clear(&pair->record.profiles);
        strv_clear(&pair->record.repos);
        strv_clear(&pair->record.lacks);
}

static void nothing(struct pair *pair)
{
}

static void more_cpus(struct pair *pair)
{
        pair->wanted.cpus = 8;
}

static void more_cpus_of_a_stopped_one(struct pair *pair)
{
        pair->wanted.cpus = 8;
        pair->seen.state = VM_STOPPED;
}

static void less_memory(struct pair *pair)
{
        pair->wanted.memory_bytes = GIB;
}

static void more_disk(struct pair *pair)
{
        pair->wanted.disk_bytes = 60 * GIB;
}

static void more_disk_where_none_grows(struct pair *pair)
{
        pair->wanted.disk_bytes = 60 * GIB;
        pair->seen.grows_disk = false;
}

static void less_disk(struct pair *pair)
{
        pair->wanted.disk_bytes = 10 * GIB;
}

static void other_port(struct pair *pair)
{
        pair->wanted.port_count = 1;
}

static void open_lan(struct pair *pair)
{
        pair->wanted.lan = true;
}

static void lent_agent(struct pair *pair)
{
        pair->wanted.forward_agent = true;
}

static void hosts(struct pair *pair)
{
        static char *host[] = { (char *)"example.org:2222" };

        pair->wanted.key_hosts = (struct strv){ .items = host, .count = 1 };
}

static void parked_later(struct pair *pair)
{
        pair->wanted.park_after = (char *)"2h";
}

static void woken_by_any(struct pair *pair)
{
        pair->wanted.wake_on = (char *)"any";
}

static void asked(struct pair *pair)
{
        pair->wanted.confirm = true;
}

static void rules(struct pair *pair)
{
        pair->wanted.egress = (char *)"allow";
        strv_adds(&pair->wanted.allow, "api.example.org", "@git", NULL);
}

static void clients_too_late(struct pair *pair)
{
        pair->record.egress = (char *)"allow";
        pair->wanted.egress = (char *)"allow";
        strv_adds(&pair->wanted.allow, "@npm", "@pip", NULL);
}

static void clients_yet_to_be_asked(struct pair *pair)
{
        clients_too_late(pair);
        pair->record.ask_clients = true;
}

static void other_clients(struct pair *pair)
{
        static char *known[] = { (char *)"@apt one.example.org", (char *)"@pip two.example.org" };

        clients_too_late(pair);
        pair->record.clients = (struct strv){ .items = known, .count = ARRAY_SIZE(known) };
}

static void other_shell(struct pair *pair)
{
        pair->wanted.shell = (char *)"bash";
}

static void an_image(struct pair *pair)
{
        pair->wanted.image = (char *)"/images/debian.qcow2";
}

static void other_engine(struct pair *pair)
{
        pair->wanted.engine = (char *)"lima";
}

static void its_engine_by_name(struct pair *pair)
{
        pair->wanted.engine = (char *)"qemu";
}

static void old_base(struct pair *pair)
{
        pair->seen.old_base = true;
}

static void one_profile_more(struct pair *pair)
{
        strv_add(&pair->wanted.profiles, "rust");
}

static void one_profile_less(struct pair *pair)
{
        strv_remove(&pair->wanted.profiles, 1);
}

static void profiles_in_another_order(struct pair *pair)
{
        strv_clear(&pair->wanted.profiles);
        strv_adds(&pair->wanted.profiles, "go", "node", NULL);
}

static void other_recipe(struct pair *pair)
{
        pair->seen.recipe = "r2";
}

static void no_recipe_any_more(struct pair *pair)
{
        pair->seen.recipe = NULL;
}

static void a_failed_step(struct pair *pair)
{
        strv_add(&pair->record.lacks, "base/uv_tool-2 uv: aider");
}

static void other_committer(struct pair *pair)
{
        pair->seen.git = "g2";
}

static void needed_key(struct pair *pair)
{
        static char *marks[] = { (char *)"SHA256:one" };
        static const struct strv needed = { .items = marks, .count = 1 };

        pair->seen.needed_keys = &needed;
}

static void named_and_needed_keys(struct pair *pair)
{
        needed_key(pair);
        strv_add(&pair->record.keys, "a key");
        strv_add(&pair->wanted.keys, "a key");
}

static void new_repo(struct pair *pair)
{
        strv_clear(&pair->record.repos);
}

static void old_repo(struct pair *pair)
{
        strv_add(&pair->record.repos, "https://example.org/old.git");
}

static const struct {
        const char *title;
        void (*change)(struct pair *pair);
        const char *what, *has, *wanted; /* `what` is NULL = no difference */
        const char *remedy;
} cases[] = {
        { "nothing", nothing, NULL, NULL, NULL, NULL },
        { "more cpus", more_cpus, "cpus", "4", "8", "start" },
        { "more cpus of a stopped one", more_cpus_of_a_stopped_one, "cpus", "4", "8", "up" },
        { "less memory", less_memory, "memory", "4.0 GiB", "1.0 GiB", "start" },
        { "more disk", more_disk, "disk", "30 GiB", "60 GiB", "start" },
        { "more disk where none grows", more_disk_where_none_grows, "disk", "30 GiB", "60 GiB", "rebuild" },
        { "less disk", less_disk, "disk", "30 GiB", "10 GiB", "rebuild" },
        { "another port", other_port, "ports", "3000:3000, 8080:80", "8080:80", "up" },
        { "lan", open_lan, "lan", "false", "true", "up" },
        { "the agent", lent_agent, "forward_agent", "false", "true", "up" },
        { "hosts for the keys", hosts, "key_hosts", "everywhere", "[example.org]:2222", "up" },
        { "another time to be parked after", parked_later, "park_after", "30m", "2h", "up" },
        { "what wakes it", woken_by_any, "wake_on", "local", "any", "up" },
        { "each use asked about", asked, "confirm", "false", "true", "up" },
        { "egress rules", rules, "egress", "open", "allow api.example.org, example.org", "up" },
        { "clients that nobody asked in time", clients_too_late, "allow", NULL, "@npm, @pip", "rebuild" },
        { "clients that are yet to be asked", clients_yet_to_be_asked, NULL, NULL, NULL, NULL },
        { "another of the clients that were asked", other_clients, "egress", "allow", "allow two.example.org", "up" },
        { "the shell", other_shell, "shell", "zsh", "bash", "rebuild" },
        { "an image", an_image, "image", NULL, "/images/debian.qcow2", "rebuild" },
        { "another engine", other_engine, "engine", "qemu", "lima", "rebuild" },
        { "its engine by name", its_engine_by_name, NULL, NULL, NULL, NULL },
        { "a newer base image", old_base, "base image", "older", "current", "rebuild" },
        { "a profile more", one_profile_more, "profiles", "node, go", "node, go, rust", "up" },
        { "a profile less", one_profile_less, "profiles", "node, go", "node", "rebuild" },
        { "profiles in another order", profiles_in_another_order, "profiles", "node, go", "go, node", "rebuild" },
        { "another recipe", other_recipe, "recipe", "older", "configured", "up" },
        { "no recipe any more", no_recipe_any_more, NULL, NULL, NULL, NULL },
        { "an optional step that failed", a_failed_step, "optional step", "failed", "base/uv_tool-2 uv: aider", "up" },
        { "another committer", other_committer, "git", "other", "host", "up" },
        { "a key that it needs", needed_key, "keys", "all", "SHA256:one", "up" },
        { "a key that it needs, and others named", named_and_needed_keys, NULL, NULL, NULL, NULL },
        { "a new repo", new_repo, "repos", NULL, "https://example.org/blog.git", "up" },
        { "a repo that is gone", old_repo, "repos", "https://example.org/old.git", NULL, "none" },
};

static void each_difference_is_found_with_what_changes_it(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
                struct pair pair;

                print_message("%s\n", cases[i].title);
                pair_make(&pair);
                pair.seen.record = &pair.record;
                cases[i].change(&pair);
                drift_find(&pair.wanted, &pair.seen, &drift);
                assert_int_equal(drift.count, cases[i].what ? 1 : 0);
                if (cases[i].what) {
                        assert_string_equal(drift.items[0].what, cases[i].what);
                        assert_true(streq_ptr(drift.items[0].has, cases[i].has));
                        assert_true(streq_ptr(drift.items[0].wanted, cases[i].wanted));
                        assert_string_equal(drift_remedy_name(drift.items[0].remedy), cases[i].remedy);
                }
                pair_clear(&pair);
        }
}

static void what_is_said_ends_with_what_to_type(void **state)
{
        static const char *const ends[] = {
                [DRIFT_UP] = "machine up blog",
                [DRIFT_START] = "takes effect at the next start: machine restart blog",
                [DRIFT_REBUILD] = "machine rebuild blog",
                [DRIFT_NONE] = "what is there stays",
        };

        for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
                struct drift_item item = {
                        .what = "cpus", .has = (char *)"2", .wanted = (char *)"4", .remedy = (enum drift_remedy)i
                };
                _cleanup_(freep) char *text = drift_text(&item, "blog");

                assert_ptr_equal(strstr(text, "cpus: VM 'blog' has 2, the configuration says 4; "), text);
                assert_string_equal(text + strlen(text) - strlen(ends[i]), ends[i]);
        }
}

/* Nobody learns anything from the hash of a recipe or the name of an image. */
static void recipe_and_base_image_say_what_happened(void **state)
{
        static const struct {
                const char *what, *has;
                enum drift_remedy remedy;
                const char *said, *wanted;
        } table[] = {
                { "recipe", NULL, DRIFT_UP, "recipe: not applied yet; run: machine up blog" },
                { "recipe", "older", DRIFT_UP, "recipe: has changed; run: machine up blog" },
                { "optional step", "failed", DRIFT_UP,
                  "recipe: optional step 'base/uv_tool-2' (uv: aider) failed, so VM 'blog' goes without it; to try again: machine up blog",
                  "base/uv_tool-2 uv: aider" },
                { "base image", "older", DRIFT_REBUILD,
                  "base image: this version has a newer one; only a new VM gets it: machine rebuild blog" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct drift_item item = { .what = table[i].what,
                                           .has = (char *)table[i].has,
                                           .wanted = (char *)table[i].wanted,
                                           .remedy = table[i].remedy };
                _cleanup_(freep) char *text = drift_text(&item, "blog");

                assert_string_equal(text, table[i].said);
        }
}

/* Programs read words that stay, or nothing; people read what these mean. */
static void words_of_programs_are_spelled_out_for_people(void **state)
{
        static const struct {
                const char *what, *has, *wanted, *said;
        } table[] = {
                { "profiles", NULL, "node", "profiles: VM 'blog' has none, the configuration says node; " },
                { "ports", "80:80", NULL, "ports: VM 'blog' has 80:80, the configuration says none; " },
                { "repos", NULL, "URL", "repos: VM 'blog' has no clone, the configuration says URL; " },
                { "repos", "URL", NULL, "repos: VM 'blog' has URL, the configuration says no such repo; " },
                { "image", NULL, "/x", "image: VM 'blog' has its engine's own, the configuration says /x; " },
                { "image", "/x", NULL, "image: VM 'blog' has /x, the configuration says none; " },
                { "git", NULL, "host", "git: VM 'blog' has no committer, the configuration says this computer's; " },
                { "git", "other", "host",
                  "git: VM 'blog' has another committer or signing key, the configuration says this computer's; " },
                { "allow", NULL, "@npm",
                  "allow: VM 'blog' has not asked its package clients before there was code, the configuration says @npm; " },
        };

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                struct drift_item item = { .what = table[i].what,
                                           .has = (char *)table[i].has,
                                           .wanted = (char *)table[i].wanted };
                _cleanup_(freep) char *text = drift_text(&item, "blog");

                assert_ptr_equal(strstr(text, table[i].said), text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(recipe_and_base_image_say_what_happened),
                cmocka_unit_test(each_difference_is_found_with_what_changes_it),
                cmocka_unit_test(what_is_said_ends_with_what_to_type),
                cmocka_unit_test(words_of_programs_are_spelled_out_for_people),
        };

        return cmocka_run_group_tests_name("drift", tests, NULL, NULL);
}
