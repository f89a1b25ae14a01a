#include "mcp/worker.h"

#include <errno.h>
#include <unistd.h>

#include "host/agent.h"
#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "mcp/protocol.h"
#include "mcp/text.h"
#include "mcp/tool.h"

#define REQUEST_MOST (16 << 20)
#define NOTES_MOST   50
#define LINE_MS      200 /* between two lines that are reported */

/* Reports progress to the server, and keeps what is worth knowing for the result. */
struct reporter {
        struct event_sink sink; /* must be first: a sink is cast back to its reporter */
        struct strv notes;
        int64_t reported_ms; /* when a line was reported last */
};

static void say(json_t *value)
{
        _cleanup_(freep) char *text = json_text(value);

        puts(text);
        fflush(stdout);
        json_decref(value);
}

static void on_event(struct event_sink *sink, const struct event *event)
{
        struct reporter *reporter = (struct reporter *)sink;
        _cleanup_(freep) char *visible = NULL;

        if (!event->text || event->type == EVENT_PROGRESS || event->type == EVENT_END)
                return;
        /* Lines may come fast, and each makes the one before old. Of steps none is left out. */
        if (event->type == EVENT_LINE && now_ms() - reporter->reported_ms < LINE_MS)
                return;
        reporter->reported_ms = event->type == EVENT_LINE ? now_ms() : reporter->reported_ms;
        visible = text_visible_dup(event->text);
        if ((event->type == EVENT_NOTE || event->type == EVENT_WARNING) && reporter->notes.count < NOTES_MOST)
                strv_add(&reporter->notes, visible);
        say(json_pack("{s:s, s:s}", "event", event_type_name(event->type), "text", visible));
}

static int read_request(json_t **request, json_t **arguments, struct strv *vms, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        const json_t *each;
        json_t *names;
        size_t i;

        for (;;) {
                char block[16 << 10];
                ssize_t got = read(STDIN_FILENO, block, sizeof(block));

                if (got == 0)
                        break;
                if (got < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot read the request");
                if (got > 0)
                        strbuf_add(&text, block, (size_t)got);
                if (text.len > REQUEST_MOST)
                        return error_set(err, ERROR_FAILED, "the request is longer than %d bytes", REQUEST_MOST);
        }
        *request = json_parse(text.buf, text.len, "the request", err);
        if (!*request || json_get_array(*request, "vms", &names, err) < 0 ||
            json_get_object(*request, "arguments", arguments, err) < 0)
                return error_wrap(err, "'machine mcp-tool' is started by 'machine mcp'");
        json_array_foreach (names, i, each)
                if (json_is_string(each))
                        strv_add(vms, json_string_value(each));
        return 0;
}

static json_t *content_text(const char *text)
{
        return json_pack("{s:s, s:s}", "type", "text", "text", text);
}

static json_t *failure(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        text_add_error(&text, error);
        return protocol_failure(text.buf);
}

/* The notes are part of the object, and stand below the text. */
static json_t *success(struct task *task, const struct strv *notes)
{
        json_t *content = json_array();

        if (notes->count > 0)
                json_object_set_new(task->found, "notes", json_strings(notes));
        if (task->text.len > 0) {
                _cleanup_(freep) char *below = strv_join(notes, "\nNote: ");

                if (notes->count > 0)
                        strbuf_addf(&task->text, "%sNote: %s", task->text.buf[task->text.len - 1] == '\n' ? "" : "\n", below);
                json_array_append_new(content, content_text(task->text.buf));
        } else {
                _cleanup_(freep) char *text = json_text(task->found);

                json_array_append_new(content, content_text(text));
        }
        return json_pack("{s:o, s:O, s:b}", "content", content, "structuredContent", task->found, "isError", 0);
}

int worker_run(const char *name, struct error **err)
{
        struct reporter reporter = { .sink = { on_event }, .notes = STRV_INIT };
        struct front front = { .events = &reporter.sink };
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(json_decrefp) json_t *request = NULL;
        _cleanup_(task_clear) struct task task = TASK_INIT;
        _cleanup_(strv_clear) struct strv vms = STRV_INIT;
        const struct tool *tool = tool_find(name);
        json_t *arguments = NULL;

        if (!tool)
                return error_set(err, ERROR_USAGE, "there is no tool '%s'", name);
        if (read_request(&request, &arguments, &vms, err) < 0 || interrupt_catch(NULL, NULL, err) < 0)
                return -1;
        /* Whoever asks is a program: it can use what the VM has, and never the keys of the person at this computer. */
        agent_withhold();
        task.front = &front;
        task.vms = &vms;
        task.arguments = arguments;
        if (tool_check(tool, &vms, arguments, &error) == 0) {
                task.vm = tool->about_all ? NULL : task_text(&task, "vm");
                if (tool->run(&task, &error) < 0 && interrupt_pending())
                        interrupt_report(&error);
        }
        say(json_pack("{s:o}", "result", error ? failure(error) : success(&task, &reporter.notes)));
        strv_clear(&reporter.notes);
        return 0;
}
