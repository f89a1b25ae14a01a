/* The table of tools, and what is checked by it. */
#include "../lib/check.h"

#include "mcp/protocol.h"
#include "mcp/tool.h"

static void add_vms(struct strv *vms, bool two)
{
        strv_add(vms, "blog");
        if (two)
                strv_add(vms, "shop");
}

/* The names of a schema's required members. Owned by the caller. */
static char *required(const struct tool *tool, bool two)
{
        _cleanup_(strv_clear) struct strv vms = STRV_INIT, names = STRV_INIT;
        _cleanup_(json_decrefp) json_t *shown = NULL;
        const json_t *each;
        size_t i;

        add_vms(&vms, two);
        shown = tool_json(tool, &vms);
        json_array_foreach (json_object_get(json_object_get(shown, "inputSchema"), "required"), i, each)
                strv_add(&names, json_string_value(each));
        return strv_join(&names, ",");
}

static void every_row_is_whole(void **state)
{
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;

        add_vms(&vms, true);
        for (size_t i = 0; i < tool_count; i++) {
                _cleanup_(json_decrefp) json_t *shown = tool_json(&tools[i], &vms);

                assert_ptr_equal(tool_find(tools[i].name), &tools[i]);
                assert_non_null(tools[i].run);
                /* NULL when the text of a schema can't be read. */
                assert_true(json_is_object(json_object_get(shown, "outputSchema")));
                assert_false(tools[i].reads_only && (tools[i].destroys || tools[i].open_world));
        }
        assert_null(tool_find("destroy"));
}

static void a_vm_has_to_be_named_only_where_there_is_a_choice(void **state)
{
        _cleanup_(freep) char *one = required(tool_find("read_file"), false);
        _cleanup_(freep) char *two = required(tool_find("read_file"), true);
        _cleanup_(freep) char *all = required(tool_find("list"), true);

        assert_string_equal(one, "path");
        assert_string_equal(two, "vm,path");
        assert_string_equal(all, "");
}

static void what_was_left_out_gets_its_standard_value(void **state)
{
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s}", "command", "true");
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;
        struct task task = { .arguments = arguments };

        add_vms(&vms, false);
        assert_int_equal(tool_check(tool_find("run"), &vms, arguments, NULL), 0);
        assert_string_equal(task_text(&task, "vm"), "blog");
        assert_int_equal(task_integer(&task, "timeout_seconds"), 600);
        assert_null(task_text(&task, "folder"));
        assert_false(task_flag(&task, "previous"));
}

static void expect_mistake(const char *tool, json_t *arguments, const char *message)
{
        _cleanup_(json_decrefp) json_t *given = arguments;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;

        add_vms(&vms, true);
        assert_int_equal(tool_check(tool_find(tool), &vms, given, &err), -1);
        assert_error(err, ERROR_USAGE, message);
}

static void a_mistake_is_named(void **state)
{
        expect_mistake("status", json_object(), "argument 'vm' is missing");
        expect_mistake("status", json_pack("{s:n}", "vm"), "argument 'vm' must be a text");
        expect_mistake("status", json_pack("{s:s}", "vm", "Blog"), "you may not use a VM 'Blog'");
        expect_mistake("status", json_pack("{s:s}", "vm", "blog\x1b"), "you may not use a VM 'blog\\x1b'");
        expect_mistake("status", json_pack("{s:s, s:i}", "vm", "blog", "x\n", 1), "tool 'status' has no argument 'x\\x0a'");
        expect_mistake("run", json_pack("{s:s, s:[]}", "vm", "blog", "argv"),
                       "argument 'argv' must be a list of texts that isn't empty");
        expect_mistake("run", json_pack("{s:s, s:f}", "vm", "blog", "timeout_seconds", 1.0),
                       "argument 'timeout_seconds' must be a whole number from 1 to 86400");
        expect_mistake("read_file", json_pack("{s:s, s:s, s:i}", "vm", "blog", "path", "x", "offset", -1),
                       "argument 'offset' must be a whole number from 0 to 1125899906842624");
}

static void a_session_gets_a_revision_that_has_sessions(void **state)
{
        assert_string_equal(protocol_negotiate("2025-06-18"), "2025-06-18");
        assert_string_equal(protocol_negotiate("2024-11-05"), "2024-11-05");
        assert_string_equal(protocol_negotiate(PROTOCOL_MODERN), "2025-11-25");
        assert_string_equal(protocol_negotiate(""), "2025-11-25");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_row_is_whole),
                cmocka_unit_test(a_vm_has_to_be_named_only_where_there_is_a_choice),
                cmocka_unit_test(what_was_left_out_gets_its_standard_value),
                cmocka_unit_test(a_mistake_is_named),
                cmocka_unit_test(a_session_gets_a_revision_that_has_sessions),
        };

        return cmocka_run_group_tests_name("mcp/tool", tests, NULL, NULL);
}
