#include "command/result.h"
#include "command/target.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/table.h"

struct keys_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct keys_options),
        { 0 },
};

#define LOG_MOST (4 << 20)

/* A line of machine-keys; one that was cut off by the log's limit is passed over. */
static void add_line(const char *line, size_t length, json_t *all)
{
        json_t *entry = json_parse(line, length, "the log", NULL);

        if (entry)
                json_array_append_new(all, entry);
}

static int read_log(const struct vm *vm, json_t *all, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, "logs/keys.log");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_read(path, LOG_MOST, &text, &error) < 0) {
                if (error->kind == ERROR_NOT_FOUND)
                        return 0;
                if (err)
                        *err = TAKE_PTR(error);
                return -1;
        }
        for (const char *line = text.buf; *line;) {
                size_t length = strcspn(line, "\n");

                add_line(line, length, all);
                line += length + (line[length] == '\n');
        }
        return 0;
}

static void print_table(const json_t *all)
{
        static const char *const headings[] = { "TIME", "REQUEST", "VERDICT", "WHAT", "KEY", "HOST", "REASON", NULL };
        static const char *const members[] = { "time", "request", "verdict", "what", "key", "host", "reason" };
        _cleanup_(table_freep) struct table *table = table_new(headings);

        for (size_t i = 0; i < json_array_size(all); i++) {
                const char *cells[ARRAY_SIZE(members)];

                for (size_t j = 0; j < ARRAY_SIZE(members); j++)
                        cells[j] = json_string_value(json_object_get(json_array_get(all, i), members[j]));
                table_add(table, cells);
        }
        table_print(table, stdout);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(json_decrefp) json_t *all = json_array();
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_named(context, invocation_name(invocation), &target, err) < 0 ||
            vm_open_existing(&vm, target.name, err) < 0 || read_log(&vm, all, err) < 0)
                return -1;
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_incref(all));
        else if (json_array_size(all) > 0)
                print_table(all);
        else if (!context->quiet)
                fprintf(stderr, "VM '%s' has asked your agent for nothing\n", vm.name);
        return 0;
}

const struct command command_keys = {
        .name = "keys",
        .operands = "[NAME]",
        .summary = "show what a VM has asked your ssh agent for",
        .text = "Each signature and each refusal: when, by which key, as whom to log in or what for, and for which host, by the\n"
                "fingerprint of its key. Users, namespaces and hosts are the guest's word.",
        .options = options,
        .options_size = sizeof(struct keys_options),
        .operands_most = 1,
        .run = run,
};
