/* `machine race`: one command in several forks of a VM; then one is kept and the rest are dropped. */
#include "operation/race.h"

#include "command/command.h"
#include "command/result.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/target.h"
#include "show/race.h"
#include "term/prompt.h"

#define NONE_PASSED 1 /* exit status */

struct race_options {
        struct common_options common;
        int64_t count, at_once;
        const char *branch, *test, *keep;
        bool drop, yes;
};

static const struct option options[] = {
        { .name = "count",
          .letter = 'n',
          .type = OPTION_INTEGER,
          .value_name = "N",
          .help = "make so many forks; the default is 4",
          .offset = offsetof(struct race_options, count),
          .low = 1,
          .high = RACE_COUNT_MOST },
        { .name = "at-once",
          .type = OPTION_INTEGER,
          .value_name = "N",
          .help = "run the command in at most so many at a time",
          .offset = offsetof(struct race_options, at_once),
          .low = 1,
          .high = RACE_COUNT_MOST },
        OPTION(struct race_options, branch, "branch", 'b', OPTION_TEXT, "NAME",
               "call the branches NAME-1, NAME-2, …; the default is race-1, …"),
        OPTION(struct race_options, test, "test", 0, OPTION_TEXT, "COMMAND", "then run this, by bash, in each fork"),
        OPTION(struct race_options, keep, "keep", 'k', OPTION_TEXT, "FORK",
               "fetch the branch of this fork into the checkout, and remove the others"),
        OPTION(struct race_options, drop, "drop", 0, OPTION_FLAG, NULL, "remove all forks"),
        OPTION(struct race_options, yes, "yes", 'y', OPTION_FLAG, NULL, "don't ask"),
        COMMON_OPTIONS(struct race_options),
        { 0 },
};

/* --- the table */

static char *number(bool known, int64_t value)
{
        return known ? xasprintf("%lld", (long long)value) : NULL;
}

static void add_row(const struct race_fork *fork, struct table *table)
{
        _cleanup_(freep) char *status = number(fork->command.known, fork->command.status);
        _cleanup_(freep) char *files = number(fork->compared, fork->diff.files);
        _cleanup_(freep) char *lines =
                fork->compared ? xasprintf("+%lld -%lld", (long long)fork->diff.added, (long long)fork->diff.removed) : NULL;
        _cleanup_(freep) char *took = fork->took_ms < 0 ? NULL : text_format_duration(fork->took_ms);
        const char *test = !fork->test.known ? NULL : fork->test.status == 0 ? "passed" : "failed";

        table_add(table, (const char *const[]){ fork->name, fork->branch, status, test, files, lines, took, fork->log });
}

static void print_table(const struct race *race)
{
        static const char *const headings[] = { "FORK", "BRANCH", "EXIT", "TEST", "FILES", "LINES", "TIME", "LOG", NULL };
        _cleanup_(table_freep) struct table *table = table_new(headings);

        for (size_t i = 0; i < race->count; i++)
                add_row(&race->items[i], table);
        table_print(table, stdout);
}

static void print(struct context *context, const struct race *race, int64_t started)
{
        double seconds = (double)(now_ms() - started) / 1000;

        output_settle(context->output);
        if (context->mode == OUTPUT_JSON) {
                result_json(json_pack("{s:s, s:s, s:o, s:f}", "event", "result", "name", race->name, "forks", show_race(race),
                                      "seconds", seconds));
                return;
        }
        print_table(race);
        if (!context->quiet)
                fprintf(stderr, "machine race %s --keep FORK keeps one, machine race %s --drop none (%.1f s)\n", race->name,
                        race->name, seconds);
}

/* --- what may be asked for */

static int check_options(const struct invocation *invocation, bool runs, struct error **err)
{
        const struct race_options *given = invocation->options;
        size_t names = invocation->dashes >= 0 ? (size_t)invocation->dashes : invocation->operands.count;

        if (names > 1) {
                error_set(err, ERROR_USAGE, "'machine race' takes one VM, and a command after '--'");
                return error_hint(err, "machine race NAME -- COMMAND");
        }
        if ((runs + given->drop + (given->keep != NULL)) > 1) {
                error_set(err, ERROR_USAGE, "a command, --keep and --drop can't be given together");
                return error_hint(err, "machine help race");
        }
        if (runs || !(given->count || given->at_once || given->branch || given->test))
                return 0;
        error_set(err, ERROR_USAGE, "no command to run");
        return error_hint(err, "machine race NAME -- COMMAND");
}

/* Whatever became of the VM itself, its forks can be found by its name. */
static int find(struct context *context, const struct invocation *invocation, struct race *race, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        const char *name = invocation_name(invocation);

        if (!name && target_existing(&context->front, NULL, &target, err) < 0)
                return -1;
        if (race_find(name ? name : target.name, race, err) < 0)
                return -1;
        if (race->count > 0)
                return 0;
        error_set(err, ERROR_NOT_FOUND, "VM '%s' has no race", race->name);
        return error_hint(err, "machine race %s -- COMMAND", race->name);
}

/* Returns 1 for yes. */
static int confirm(struct context *context, const struct race_options *given, const struct race *race, size_t count,
                   struct error **err)
{
        _cleanup_(freep) char *keep =
                given->keep ? text_shell_join((const char *const[]){ "--keep", given->keep, NULL }) : xstrdup("--drop");
        _cleanup_(freep) char *hint = xasprintf("machine race %s --yes %s", race->name, keep);
        _cleanup_(freep) char *question = xasprintf("Remove %zu fork%s of VM '%s', with all work in %s?", count,
                                                    count == 1 ? "" : "s", race->name, count == 1 ? "it" : "them");
        int answer;

        output_settle(context->output);
        if (given->yes || count == 0)
                return 1;
        answer = prompt_yes(question, hint, err);
        return answer == 0 ? error_set(err, ERROR_FAILED, "the race of VM '%s' was left as it is", race->name) : answer;
}

/* --- the four things it does */

static int show(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(race_clear) struct race race = RACE_INIT;

        if (find(context, invocation, &race, err) < 0)
                return -1;
        if (context->mode == OUTPUT_JSON)
                result_json(show_race(&race));
        else
                print_table(&race);
        return 0;
}

static int drop(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct race_options *given = invocation->options;
        _cleanup_(race_clear) struct race race = RACE_INIT;
        size_t dropped = 0;

        if (find(context, invocation, &race, err) < 0 || confirm(context, given, &race, race.count, err) < 0)
                return -1;
        interrupt_next("machine race %s --drop", race.name);
        if (race_drop(&context->front, &race, NULL, &dropped, err) < 0)
                return -1;
        result_print(context, &(struct result){ .name = race.name, .state = "dropped" },
                     "the race of VM '%s' is gone, with its %zu fork%s", race.name, dropped, dropped == 1 ? "" : "s");
        return 0;
}

static void say_kept(struct context *context, const struct race_fork *fork, const struct race_kept *kept)
{
        if (kept->holds && !kept->removed)
                event_warning(context->front.events, "VM '%s' stays, because it holds work that is nowhere else: %s",
                              fork->name, kept->holds);
        if (kept->checkout)
                result_print(context, &(struct result){ .name = fork->name, .state = kept->removed ? "absent" : "running" },
                             "the branch is in '%s', with %lld new commit%s: git merge machine/%s", kept->checkout,
                             (long long)kept->commits, kept->commits == 1 ? "" : "s", race_branch(fork));
        else
                result_print(context, &(struct result){ .name = fork->name, .state = "running" },
                             "VM '%s' is a VM of its own now, for it has no checkout here to fetch to: machine ssh %s",
                             fork->name, fork->name);
}

static int keep(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct race_options *given = invocation->options;
        _cleanup_(race_kept_clear) struct race_kept kept = RACE_KEPT_INIT;
        _cleanup_(race_clear) struct race race = RACE_INIT;
        const struct race_fork *fork;

        if (find(context, invocation, &race, err) < 0)
                return -1;
        fork = race_choose(&race, given->keep, err);
        if (!fork || confirm(context, given, &race, race.count - 1, err) < 0)
                return -1;
        interrupt_next("machine race %s --keep %s", race.name, fork->name);
        if (race_keep(&context->front, &race, fork, &kept, err) < 0)
                return -1;
        say_kept(context, fork, &kept);
        return 0;
}

static int run_race(struct context *context, const struct invocation *invocation, const char *const *command,
                    struct error **err)
{
        const struct race_options *given = invocation->options;
        const size_t count = given->count ? (size_t)given->count : RACE_COUNT_DEFAULT;
        const struct race_wish wish = { .count = count,
                                        .at_once = given->at_once ? (size_t)given->at_once : count,
                                        .branch = given->branch,
                                        .test = given->test,
                                        .command = command };
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(race_clear) struct race race = RACE_INIT;
        _cleanup_(vm_clear) struct vm source = VM_INIT;
        int64_t started = now_ms();

        if (target_open_locked(&context->front, invocation_name(invocation), &target, &source, err) < 0)
                return -1;
        interrupt_advise("'machine race %s' shows the forks that there are; with --keep FORK or --drop it ends the race",
                         source.name);
        if (race_run(&context->front, &source, &wish, &race, err) < 0)
                return -1;
        print(context, &race, started);
        return race_any_passed(&race, given->test != NULL) ? 0 : NONE_PASSED;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const char *const *command = invocation->dashes >= 0 ? invocation_tail(invocation) : NULL;
        const struct race_options *given = invocation->options;

        if (check_options(invocation, command != NULL, err) < 0)
                return -1;
        if (command)
                return run_race(context, invocation, command, err);
        if (given->keep)
                return keep(context, invocation, err);
        return given->drop ? drop(context, invocation, err) : show(context, invocation, err);
}

const struct command command_race = {
        .name = "race",
        .operands = "[NAME] [-- COMMAND…]",
        .summary = "run a command in several forks of a VM, and keep one",
        .text = "Makes the forks NAME-race-1, NAME-race-2, …, each on a branch of its own in the first repo, and runs the command in\n"
                "each, with the fork's number as RACE and their count as RACE_COUNT in its environment. The table shows how each ended\n"
                "and what it changed. Exit status 1 when none passed. Without a command it shows the table again. --keep commits what\n"
                "is not committed in a fork, fetches its branch as machine/BRANCH, and removes all forks; one that holds more stays.",
        .options = options,
        .options_size = sizeof(struct race_options),
        .operands_most = SIZE_MAX,
        .orderly = true,
        .run = run,
};
