/* A tool as clients see it, and the check of what they ask. */
#include "mcp/tool.h"

#include "lib/text.h"

#define VM "vm"

void task_clear(struct task *task)
{
        json_decref(task->found);
        strbuf_clear(&task->text);
        *task = (struct task)TASK_INIT;
}

const char *task_text(const struct task *task, const char *name)
{
        return json_string_value(json_object_get(task->arguments, name));
}

int64_t task_integer(const struct task *task, const char *name)
{
        return json_integer_value(json_object_get(task->arguments, name));
}

bool task_flag(const struct task *task, const char *name)
{
        return json_is_true(json_object_get(task->arguments, name));
}

static const struct parameter *parameters_of(const struct tool *tool)
{
        static const struct parameter none[] = { { 0 } };

        return tool->parameters ? tool->parameters : none;
}

/* --- shown */

static json_t *parameter_json(const struct parameter *parameter)
{
        switch (parameter->type) {
        case PARAMETER_TEXT:
                return json_pack("{s:s, s:s}", "type", "string", "description", parameter->text);
        case PARAMETER_TEXTS:
                return json_pack("{s:s, s:{s:s}, s:i, s:s}", "type", "array", "items", "type", "string", "minItems", 1,
                                 "description", parameter->text);
        case PARAMETER_INTEGER:
                return json_pack("{s:s, s:I, s:I, s:I, s:s}", "type", "integer", "minimum", (json_int_t)parameter->low,
                                 "maximum", (json_int_t)parameter->high, "default", (json_int_t)parameter->standard,
                                 "description", parameter->text);
        case PARAMETER_FLAG:
                return json_pack("{s:s, s:b, s:s}", "type", "boolean", "default", 0, "description", parameter->text);
        }
        return NULL;
}

static json_t *input_schema(const struct tool *tool, const struct strv *vms)
{
        json_t *properties = json_object();
        json_t *required = json_array();
        json_t *schema;

        if (!tool->about_all) {
                json_object_set_new(properties, VM,
                                    json_pack("{s:s, s:o, s:s}", "type", "string", "enum", json_strings(vms), "description",
                                              vms->count == 1 ? "The VM; may be left out." : "The VM."));
                if (vms->count > 1)
                        json_array_append_new(required, json_string(VM));
        }
        for (const struct parameter *parameter = parameters_of(tool); parameter->name; parameter++) {
                json_object_set_new(properties, parameter->name, parameter_json(parameter));
                if (parameter->required)
                        json_array_append_new(required, json_string(parameter->name));
        }
        schema = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
        if (json_array_size(required) > 0)
                json_object_set(schema, "required", required);
        json_decref(required);
        return schema;
}

static json_t *output_schema(const struct tool *tool)
{
        _cleanup_(freep) char *text = xasprintf("{\"type\": \"object\", \"properties\": {%s}}", tool->output);

        return json_parse(text, strlen(text), "an output schema", NULL);
}

json_t *tool_json(const struct tool *tool, const struct strv *vms)
{
        json_t *hints = json_pack("{s:s, s:b, s:b, s:b, s:b}", "title", tool->title, "readOnlyHint", (int)tool->reads_only,
                                  "destructiveHint", (int)tool->destroys, "idempotentHint", (int)tool->idempotent,
                                  "openWorldHint", (int)tool->open_world);

        return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", tool->name, "title", tool->title, "description", tool->text,
                         "inputSchema", input_schema(tool, vms), "outputSchema", output_schema(tool), "annotations", hints);
}

/* --- checked */

static int wants(const struct parameter *parameter, const char *what, struct error **err)
{
        return error_set(err, ERROR_USAGE, "argument '%s' must be %s", parameter->name, what);
}

static int check_length(const struct parameter *parameter, size_t length, struct error **err)
{
        if ((int64_t)length <= parameter->high)
                return 0;
        return error_set(err, ERROR_USAGE, "argument '%s' has %zu bytes, and may have at most %jd", parameter->name, length,
                         (intmax_t)parameter->high);
}

static int check_texts(const struct parameter *parameter, const json_t *value, struct error **err)
{
        const json_t *each;
        size_t length = 0;
        size_t i;

        if (!json_is_array(value) || json_array_size(value) == 0)
                return wants(parameter, "a list of texts that isn't empty", err);
        json_array_foreach (value, i, each) {
                if (!json_is_string(each))
                        return wants(parameter, "a list of texts only", err);
                length += json_string_length(each) + 1;
        }
        return check_length(parameter, length, err);
}

static int check_integer(const struct parameter *parameter, const json_t *value, struct error **err)
{
        if (json_is_integer(value) && json_integer_value(value) >= parameter->low &&
            json_integer_value(value) <= parameter->high)
                return 0;
        return error_set(err, ERROR_USAGE, "argument '%s' must be a whole number from %jd to %jd", parameter->name,
                         (intmax_t)parameter->low, (intmax_t)parameter->high);
}

static int check_value(const struct parameter *parameter, const json_t *value, struct error **err)
{
        switch (parameter->type) {
        case PARAMETER_TEXT:
                return json_is_string(value) ? check_length(parameter, json_string_length(value), err)
                                             : wants(parameter, "a text", err);
        case PARAMETER_TEXTS:
                return check_texts(parameter, value, err);
        case PARAMETER_INTEGER:
                return check_integer(parameter, value, err);
        case PARAMETER_FLAG:
                return json_is_boolean(value) ? 0 : wants(parameter, "true or false", err);
        }
        return -1;
}

static int check_known(const struct tool *tool, const json_t *arguments, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const char *key;

        if (!tool->about_all)
                strv_add(&names, VM);
        for (const struct parameter *parameter = parameters_of(tool); parameter->name; parameter++)
                strv_add(&names, parameter->name);
        for (void *i = json_object_iter((json_t *)arguments); i; i = json_object_iter_next((json_t *)arguments, i)) {
                key = json_object_iter_key(i);
                if (!strv_contains(&names, key)) {
                        _cleanup_(freep) char *shown = text_visible_dup(key);
                        _cleanup_(freep) char *list = strv_join(&names, ", ");

                        error_set(err, ERROR_USAGE, "tool '%s' has no argument '%s'", tool->name, shown);
                        return names.count == 0 ? error_hint(err, "it takes none") : error_hint(err, "its arguments: %s", list);
                }
        }
        return 0;
}

static int check_vm(const struct strv *vms, json_t *arguments, struct error **err)
{
        _cleanup_(freep) char *names = strv_join(vms, ", ");
        const json_t *value = json_object_get(arguments, VM);
        const char *name = json_string_value(value);
        _cleanup_(freep) char *shown = name ? text_visible_dup(name) : NULL;

        if (!value && vms->count == 1) {
                json_object_set_new(arguments, VM, json_string(vms->items[0]));
                return 0;
        }
        if (!name) {
                error_set(err, ERROR_USAGE, value ? "argument '" VM "' must be a text" : "argument '" VM "' is missing");
                return error_hint(err, "the VMs that you may use: %s", names);
        }
        if (strv_contains(vms, name))
                return 0;
        error_set(err, ERROR_USAGE, "you may not use a VM '%s'", shown);
        return error_hint(err,
                          "the VMs that you may use: %s; only the person who started this server can name more (machine mcp "
                          "--allow NAME)",
                          names);
}

int tool_check(const struct tool *tool, const struct strv *vms, json_t *arguments, struct error **err)
{
        if (check_known(tool, arguments, err) < 0 || (!tool->about_all && check_vm(vms, arguments, err) < 0))
                return -1;
        for (const struct parameter *parameter = parameters_of(tool); parameter->name; parameter++) {
                const json_t *value = json_object_get(arguments, parameter->name);

                if (!value && parameter->required)
                        return error_set(err, ERROR_USAGE, "argument '%s' is missing", parameter->name);
                if (value && check_value(parameter, value, err) < 0)
                        return -1;
                if (!value && parameter->type == PARAMETER_INTEGER)
                        json_object_set_new(arguments, parameter->name, json_integer(parameter->standard));
        }
        return 0;
}
