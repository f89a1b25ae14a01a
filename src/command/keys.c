#include "command/follow.h"
#include "command/result.h"
#include "command/target.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/table.h"

struct keys_options {
        struct common_options common;
        bool follow;
};

static const struct option options[] = {
        OPTION(struct keys_options, follow, "follow", 'f', OPTION_FLAG, NULL, "go on with what comes, until the VM stops"),
        COMMON_OPTIONS(struct keys_options),
        { 0 },
};

#define LOG_MOST (4 << 20)

static const char *const headings[] = { "TIME", "REQUEST", "VERDICT", "WHAT", "KEY", "HOST", "REASON", NULL };

/* A line of machine-keys; one that was cut off by the log's limit is passed over. */
static void add_line(const char *line, size_t length, json_t *all)
{
        json_t *entry = json_parse(line, length, "the log", NULL);

        if (entry)
                json_array_append_new(all, entry);
}

/* The whole lines of the log from *offset on, which moves behind them. A log that has begun anew is read from its start. */
static int read_log(const struct vm *vm, size_t *offset, json_t *all, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, "logs/keys.log");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        const char *end;

        if (file_read(path, LOG_MOST, &text, &error) < 0) {
                if (error->kind == ERROR_NOT_FOUND)
                        return 0;
                if (err)
                        *err = TAKE_PTR(error);
                return -1;
        }
        if (text.len < *offset)
                *offset = 0;
        for (const char *line = text.buf + *offset; (end = strchr(line, '\n')); line = end + 1) {
                add_line(line, (size_t)(end - line), all);
                *offset = (size_t)(end + 1 - text.buf);
        }
        return 0;
}

static const char *text_of(const json_t *entry, const char *key)
{
        return json_string_value(json_object_get(entry, key));
}

/* In the order of the headings. Of a host that has proven itself, its name. */
static void fill_cells(const json_t *entry, const char **cells)
{
        static const char *const members[] = { "time", "request", "verdict", "what", "key", "host", "reason" };

        for (size_t i = 0; i < ARRAY_SIZE(members); i++)
                cells[i] = text_of(entry, members[i]);
        if (text_of(entry, "name"))
                cells[5] = text_of(entry, "name");
}

static void print_table(const json_t *all)
{
        _cleanup_(table_freep) struct table *table = table_new(headings);

        for (size_t i = 0; i < json_array_size(all); i++) {
                const char *cells[ARRAY_SIZE(headings) - 1];

                fill_cells(json_array_get(all, i), cells);
                table_add(table, cells);
        }
        table_print(table, stdout);
}

static void print_lines(const struct context *context, const json_t *all)
{
        for (size_t i = 0; i < json_array_size(all); i++) {
                const char *cells[ARRAY_SIZE(headings) - 1];

                if (context->mode == OUTPUT_JSON) {
                        result_json(json_incref(json_array_get(all, i)));
                        continue;
                }
                fill_cells(json_array_get(all, i), cells);
                for (size_t j = 0; j < ARRAY_SIZE(cells); j++)
                        printf("%s%s", j == 0 ? "" : " ", cells[j] ? cells[j] : "-");
                putchar('\n');
        }
        fflush(stdout);
}

struct following {
        const struct context *context;
        size_t offset;
};

static int look_again(const struct vm *vm, void *data, struct error **err)
{
        struct following *following = data;
        _cleanup_(json_decrefp) json_t *more = json_array();

        if (read_log(vm, &following->offset, more, err) < 0)
                return -1;
        print_lines(following->context, more);
        return 0;
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct keys_options *given = invocation->options;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(json_decrefp) json_t *all = json_array();
        struct following following = { .context = context };
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_named(context, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0 || read_log(&vm, &following.offset, all, err) < 0)
                return -1;
        output_settle(context->output);
        if (given->follow && context->mode == OUTPUT_JSON)
                print_lines(context, all);
        else if (context->mode == OUTPUT_JSON)
                result_json(json_incref(all));
        else if (json_array_size(all) > 0)
                print_table(all);
        else if (!context->quiet)
                fprintf(stderr, "VM '%s' has asked your agent for nothing\n", vm.name);
        return given->follow ? follow(&vm, look_again, &following, err) : 0;
}

const struct command command_keys = {
        .name = "keys",
        .operands = "[NAME]",
        .summary = "show what a VM has asked your ssh agent for",
        .text = "Each signature and each refusal: when, by which key, as whom to log in or what for, and for which host: by name\n"
                "where it has proven itself (key_hosts), else by the fingerprint of its key. All else is the guest's word.",
        .options = options,
        .options_size = sizeof(struct keys_options),
        .operands_most = 1,
        .run = run,
};
