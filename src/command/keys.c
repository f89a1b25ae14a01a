#include "command/command.h"
#include "command/follow.h"
#include "command/result.h"
#include "lib/text.h"
#include "operation/asked.h"
#include "operation/target.h"
#include "term/table.h"
#include "vm/vm.h"

struct keys_options {
        struct common_options common;
        bool follow;
};

static const struct option options[] = {
        OPTION(struct keys_options, follow, "follow", 'f', OPTION_FLAG, NULL, "keep printing what comes, until the VM stops"),
        COMMON_OPTIONS(struct keys_options),
        { 0 },
};

static const char *const headings[] = { "TIME", "REQUEST", "VERDICT", "COUNT", "WHAT", "KEY", "HOST", "REASON", NULL };
#define COLUMNS (ARRAY_SIZE(headings) - 1)

static const char *text_of(const json_t *entry, const char *key)
{
        return json_string_value(json_object_get(entry, key));
}

/* Fills `cells` in the order of the headings. A host that has proven itself is shown by its name. The caller frees `*times` and
 * `*when`. */
static void fill_cells(const json_t *entry, const char **cells, char **times, char **when)
{
        static const char *const members[] = { "time", "request", "verdict", NULL, "what", "key", "host", "reason" };
        json_int_t count = json_integer_value(json_object_get(entry, "count"));

        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                cells[i] = members[i] ? text_of(entry, members[i]) : NULL;
        *times = xasprintf("%" JSON_INTEGER_FORMAT, count > 0 ? count : 1);
        cells[3] = *times;
        *when = cells[0] ? text_local_time(cells[0]) : NULL;
        cells[0] = *when;
        if (text_of(entry, "name"))
                cells[6] = text_of(entry, "name");
}

static void print_table(const json_t *all)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);

        for (size_t i = 0; i < json_array_size(all); i++) {
                _cleanup_(freep) char *times = NULL, *when = NULL;
                const char *cells[COLUMNS];

                fill_cells(json_array_get(all, i), cells, &times, &when);
                table_add(table, cells);
        }
        table_print(table, stdout);
}

static void print_line(const json_t *entry)
{
        _cleanup_(freep) char *times = NULL, *when = NULL;
        const char *cells[COLUMNS];

        fill_cells(entry, cells, &times, &when);
        for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
                _cleanup_(freep) char *visible = text_visible_dup(cells[i] ? cells[i] : "-");

                printf("%s%s", i == 0 ? "" : " ", visible);
        }
        putchar('\n');
}

static void print_lines(const struct context *context, const json_t *all)
{
        for (size_t i = 0; i < json_array_size(all); i++) {
                if (context->mode == OUTPUT_JSON)
                        result_json(json_incref(json_array_get(all, i)));
                else
                        print_line(json_array_get(all, i));
        }
        fflush(stdout);
}

struct following {
        const struct context *context;
        struct asked seen;
};

static int look_again(const struct vm *vm, void *data, struct error **err)
{
        struct following *following = data;
        _cleanup_(json_decrefp) json_t *more = asked_read(vm, &following->seen, err);

        if (!more)
                return -1;
        print_lines(following->context, more);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct keys_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(json_decrefp) json_t *all = NULL;
        struct following following = { .context = context };
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_existing(&context->front, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0)
                return -1;
        all = asked_read(&vm, &following.seen, err);
        if (!all)
                return -1;
        output_settle(context->output);
        if (given->follow && context->mode == OUTPUT_JSON)
                print_lines(context, all);
        else if (context->mode == OUTPUT_JSON)
                result_json(json_incref(all));
        else if (json_array_size(all) > 0)
                print_table(all);
        else if (!context->quiet)
                fprintf(stderr, "VM '%s' has asked your ssh agent for nothing\n", vm.name);
        return given->follow ? follow(&vm, look_again, &following, err) : 0;
}

const struct command command_keys = {
        .name = "keys",
        .operands = "[NAME]",
        .summary = "show what a VM has asked your ssh agent for",
        .text = "Shows each signature and each refusal: when, with which key, the user to log in as or the purpose, and the host. A\n"
                "host that has proven itself (key_hosts) is shown by name, any other by the fingerprint of its key. Everything\n"
                "else is what the guest says. Repeats within a minute share one more line, with their count.",
        .options = options,
        .options_size = sizeof(struct keys_options),
        .operands_most = 1,
        .run = run,
};
