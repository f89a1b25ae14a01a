/* The tools that look at VMs from outside, and the one that makes them. */
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/text.h"
#include "mcp/text.h"
#include "mcp/tool.h"
#include "operation/inventory.h"
#include "operation/logs.h"
#include "operation/observe.h"
#include "operation/up.h"
#include "show/egress.h"
#include "show/vm.h"
#include "vm/account.h"
#include "vm/console.h"

#define LOG_LINE_BYTES (4 << 10)
#define LOG_BYTES      (128 << 10)
#define EGRESS_MOST    500

static const struct inventory_entry *find_entry(const struct inventory *inventory, const char *name)
{
        for (size_t i = 0; i < inventory->count; i++)
                if (streq(inventory->items[i].name, name))
                        return &inventory->items[i];
        return NULL;
}

/* Nothing is said of the other VMs, not even by a warning. */
int tool_list(struct task *task, struct error **err)
{
        _cleanup_(inventory_clear) struct inventory inventory = INVENTORY_INIT;
        struct front silent = { 0 };
        json_t *all = json_array();

        task->found = json_pack("{s:o}", "vms", all);
        if (inventory_take(&silent, &inventory, err) < 0)
                return -1;
        for (size_t i = 0; i < task->vms->count; i++) {
                const char *name = task->vms->items[i];
                const struct inventory_entry *entry = find_entry(&inventory, name);

                json_array_append_new(all, entry ? show_entry(entry)
                                                 : json_pack("{s:s, s:s, s:s}", "name", name, "state", "absent", "reason",
                                                             "there is no project with this name"));
        }
        return 0;
}

int tool_status(struct task *task, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(drift_clear) struct drift drift = DRIFT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (target_existing(task->front, task->vm, &target, err) < 0 || vm_open(&vm, target.name, err) < 0)
                return -1;
        if (vm.exists && (!target.configured || observe_drift(&vm, &target, &status, &drift, &target.trouble) < 0)) {
                if (vm_inspect(&vm, &status, err) < 0)
                        return -1;
                target_warn(task->front, &target, "the VM is not compared with it");
        }
        task->found = show_status(&vm, &status, &drift, target.configured && !target.trouble);
        return 0;
}

int tool_up(struct task *task, struct error **err)
{
        _cleanup_(target_clear) struct target target = TARGET_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t started = now_ms();
        struct up_result up;

        if (up_open(task->front, task->vm, &target, &vm, err) < 0)
                return -1;
        if (up_vm(task->front, &vm, &target, target.project.engine, &up, err) < 0) {
                if (target.project.forward_agent && *err && !(*err)->hint)
                        error_hint(err, "machine up %s (this tool lends no ssh agent, which a clone may need)", vm.name);
                return -1;
        }
        task->found = json_pack("{s:s, s:s, s:s, s:f, s:I}", "name", vm.name, "state", "running", "how", up.how, "seconds",
                                (double)(now_ms() - started) / 1000, "repos_not_set_up", (json_int_t)up.not_set_up);
        return 0;
}

/* --- logs */

struct reader {
        struct event_sink sink; /* must be first: a sink is cast back to its reader */
        struct strv lines;
};

static void take_line(struct event_sink *sink, const struct event *event)
{
        struct reader *reader = (struct reader *)sink;

        strv_take(&reader->lines, text_visible_dup(event->text));
}

/* As many of the last lines as have room. */
static void show_lines(struct task *task, const char *name, const struct strv *lines)
{
        json_t *shown = json_array();
        size_t first = lines->count;
        size_t bytes = 0;

        while (first > 0 && bytes + strlen(lines->items[first - 1]) < LOG_BYTES)
                bytes += strlen(lines->items[--first]) + 1;
        for (size_t i = first; i < lines->count; i++) {
                json_array_append_new(shown, json_string(lines->items[i]));
                strbuf_addf(&task->text, "%s\n", lines->items[i]);
        }
        if (lines->count == 0)
                strbuf_adds(&task->text, "The log is empty.\n");
        task->found = json_pack("{s:s, s:o}", "log", name, "lines", shown);
}

static int read_log(struct task *task, const char *name, const char *path, struct error **err)
{
        struct reader reader = { .sink = { take_line }, .lines = STRV_INIT };
        struct console console = { .fd = -1, .partial = STRBUF_INIT, .line_limit = LOG_LINE_BYTES };
        int status = console_follow_last(&console, path, (size_t)task_integer(task, "lines"), err);

        if (status == 0) {
                while (console_report(&console, &reader.sink))
                        ;
                console_report_rest(&console, &reader.sink);
                show_lines(task, name, &reader.lines);
        }
        console_clear(&console);
        strv_clear(&reader.lines);
        return status;
}

int tool_logs(struct task *task, struct error **err)
{
        const char *name = task_text(task, "log") ? task_text(task, "log") : "console";
        _cleanup_(logs_clear) struct logs logs = LOGS_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *names = NULL, *path = NULL;
        const struct log_file *log;

        if (vm_open_existing(&vm, task->vm, err) < 0 || logs_find(&vm, &logs, err) < 0)
                return -1;
        log = logs_get(&logs, name);
        if (!log) {
                names = logs_names(&logs);
                error_set(err, ERROR_NOT_FOUND, "VM '%s' has no log '%s'", vm.name, name);
                return logs.count > 0 ? error_hint(err, "its logs are: %s", names)
                                      : error_hint(err, "it has no logs before it was started: call the tool 'up'");
        }
        path = task_flag(task, "previous") ? xasprintf("%s.1", log->path) : xstrdup(log->path);
        if (!file_exists(path))
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' has no log '%s' of a run before", vm.name, name);
        return read_log(task, name, path, err);
}

/* --- egress */

int tool_egress(struct task *task, struct error **err)
{
        _cleanup_(account_clear) struct account account = ACCOUNT_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        json_t *all = json_array();

        task->found = json_pack("{s:o}", "connections", all);
        if (vm_open_existing(&vm, task->vm, err) < 0)
                return -1;
        if (!vm.engine->account)
                return error_set(err, ERROR_ENGINE, "engine '%s' doesn't see what VM '%s' reaches", vm.engine->name, vm.name);
        if (vm.engine->account(&vm, &account, err) < 0)
                return -1;
        for (size_t i = 0; i < account.count && i < EGRESS_MOST; i++)
                json_array_append_new(all, show_account_line(&account.lines[i]));
        if (account.count > EGRESS_MOST)
                event_note(task->front->events, "there are %zu more connections: machine egress %s shows all",
                           account.count - EGRESS_MOST, vm.name);
        return 0;
}
