/* The tools that do something in a guest: run a command, read and write files, show a diff. */
#include <sodium.h>

#include "guest/execute.h"
#include "guest/file.h"
#include "guest/folder.h"
#include "guest/script.h"
#include "lib/deadline.h"
#include "lib/text.h"
#include "mcp/text.h"
#include "mcp/tool.h"
#include "operation/running.h"

#define DIFF_MS      (2 * 60 * 1000)
#define STATUS_BYTES (32 << 10)

/* Opens the VM, running, and finds the folder of the repo that was asked for; a project without repos has its home. */
static int open_folder(struct task *task, struct vm *vm, char **folder, struct error **err)
{
        const char *repo = task_text(task, "repo");

        if (running_open(task->front, task->vm, vm, err) < 0)
                return -1;
        if (!repo && vm->record.repos.count == 0) {
                *folder = xasprintf("/home/%s", vm->record.user);
                return 0;
        }
        return folder_path(vm, repo, folder, err);
}

/* An absolute path stays as it is. Owned by the caller. */
static char *below(const char *folder, const char *path)
{
        if (!path)
                return xstrdup(folder);
        return *path == '/' ? xstrdup(path) : xasprintf("%s/%s", folder, path);
}

/* --- run */

static void on_line(const char *line, void *data)
{
        event_line(data, line);
}

static int choose_argv(const struct task *task, struct strv *argv, struct error **err)
{
        const json_t *words = json_object_get(task->arguments, "argv");
        const char *command = task_text(task, "command");
        const json_t *each;
        size_t i;

        if (!words == !command)
                return error_set(err, ERROR_USAGE, "give either 'command' or 'argv'%s", words ? ", not both" : "");
        if (command)
                strv_add(argv, "bash");
        json_array_foreach (words, i, each)
                strv_add(argv, json_string_value(each));
        return 0;
}

static void show_stream(struct task *task, const char *name, const struct execution_output *output)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *left_out = xasprintf("%s_left_out", name);

        text_add_cut(&text, &output->text, output->at, output->cut);
        json_object_set_new(task->found, name, json_string(text.buf));
        json_object_set_new(task->found, left_out, json_integer((json_int_t)output->cut));
        if (text.len > 0)
                strbuf_addf(&task->text, "--- %s\n%s%s", name, text.buf, text.buf[text.len - 1] == '\n' ? "" : "\n");
}

static void show_run(struct task *task, const struct execution_result *result, int64_t began_ms)
{
        double seconds = (double)(now_ms() - began_ms) / 1000;

        task->found = json_pack("{s:o, s:b, s:f}", "exit_status", result->late ? json_null() : json_integer(result->status),
                                "timed_out", (int)result->late, "seconds", seconds);
        if (result->late)
                strbuf_addf(&task->text, "killed after %.0f seconds, because its time was up (timeout_seconds)\n", seconds);
        else
                strbuf_addf(&task->text, "exit status %d\n", result->status);
        show_stream(task, "stdout", &result->out);
        show_stream(task, "stderr", &result->err);
}

int tool_run(struct task *task, struct error **err)
{
        _cleanup_(execution_result_clear) struct execution_result result = EXECUTION_RESULT_INIT;
        _cleanup_(freep) char *folder = NULL, *where = NULL;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t began_ms;

        if (choose_argv(task, &argv, err) < 0 || open_folder(task, &vm, &folder, err) < 0)
                return -1;
        where = below(folder, task_text(task, "folder"));
        began_ms = now_ms();
        if (execute(&vm,
                    &(struct execution){ .folder = where,
                                         .script = task_text(task, "command"),
                                         .argv = strv_argv(&argv),
                                         .timeout_ms = (int)task_integer(task, "timeout_seconds") * 1000,
                                         .output_limit = (size_t)task_integer(task, "max_output_bytes"),
                                         .on_line = on_line,
                                         .on_line_data = task->front->events },
                    &result, err) < 0)
                return -1;
        show_run(task, &result, began_ms);
        return 0;
}

/* --- diff */

/* Runs a part of guest/session/diff.sh in the repo. */
static int ask_git(const struct vm *vm, const char *folder, const char *part, const char *against, size_t limit,
                   struct execution_result *result, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        const char *const argv[] = { "diff.sh", part, against, NULL };

        if (script_text("diff.sh", &script, err) < 0 || execute(vm,
                                                                &(struct execution){ .folder = folder,
                                                                                     .script = script.buf,
                                                                                     .argv = argv,
                                                                                     .timeout_ms = DIFF_MS,
                                                                                     .output_limit = limit },
                                                                result, err) < 0)
                return -1;
        if (result->late)
                return error_set(err, ERROR_STEP, "git has not answered within %d seconds in '%s'", DIFF_MS / 1000, folder);
        if (result->status == 0)
                return 0;
        process_quote(&said, &result->err.text);
        return error_set(err, ERROR_STEP, "git failed in '%s' in VM '%s': %s", folder, vm->name,
                         said.len > 0 ? said.buf : "it gave no reason");
}

int tool_diff(struct task *task, struct error **err)
{
        _cleanup_(execution_result_clear) struct execution_result status = EXECUTION_RESULT_INIT, diff = EXECUTION_RESULT_INIT;
        const char *against = task_text(task, "against") ? task_text(task, "against") : "HEAD";
        _cleanup_(strbuf_clear) struct strbuf state = STRBUF_INIT, changes = STRBUF_INIT;
        size_t limit = (size_t)task_integer(task, "max_output_bytes");
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *folder = NULL;

        if (open_folder(task, &vm, &folder, err) < 0 ||
            ask_git(&vm, folder, "status", against, STATUS_BYTES, &status, err) < 0 ||
            ask_git(&vm, folder, "diff", against, limit, &diff, err) < 0)
                return -1;
        text_add_cut(&state, &status.out.text, status.out.at, status.out.cut);
        text_add_cut(&changes, &diff.out.text, diff.out.at, diff.out.cut);
        task->found = json_pack("{s:s, s:s, s:I}", "status", state.buf, "diff", changes.buf, "diff_left_out",
                                (json_int_t)diff.out.cut);
        strbuf_addf(&task->text, "%s\n%s", state.buf, changes.len > 0 ? changes.buf : "No tracked file has changed.\n");
        return 0;
}

/* --- files */

/* Gives a character that the limit has cut in two to the next call. */
static size_t whole_characters(const struct strbuf *content)
{
        size_t length = content->len;

        for (size_t back = 1; back <= 3 && back <= length; back++) {
                unsigned char byte = (unsigned char)content->buf[length - back];

                if ((byte & 0xC0) == 0x80)
                        continue;
                return byte >= 0xC0 && back < (byte >= 0xF0 ? 4U : byte >= 0xE0 ? 3U : 2U) ? length - back : length;
        }
        return length;
}

int tool_read_file(struct task *task, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        int64_t offset = task_integer(task, "offset");
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *folder = NULL, *encoded = NULL;
        int64_t size = 0, next;
        size_t whole;
        bool plain;

        if (open_folder(task, &vm, &folder, err) < 0 ||
            file_in_guest_read(&vm, folder, task_text(task, "path"), offset, task_integer(task, "limit"), &content, &size,
                               err) < 0)
                return -1;
        whole = offset + (int64_t)content.len < size ? whole_characters(&content) : content.len;
        plain = text_is_plain(content.buf, whole);
        if (plain)
                strbuf_truncate(&content, whole);
        else
                encoded = text_base64(content.buf, content.len);
        next = offset + (int64_t)content.len;
        task->found =
                json_pack("{s:s, s:I, s:I, s:s, s:s, s:o}", "path", task_text(task, "path"), "size", (json_int_t)size, "offset",
                          (json_int_t)offset, "encoding", plain ? "utf-8" : "base64", "content", plain ? content.buf : encoded,
                          "next_offset", next < size ? json_integer((json_int_t)next) : json_null());
        if (plain)
                strbuf_adds(&task->text, content.len > 0 ? content.buf : "(nothing)");
        else
                strbuf_addf(&task->text, "not plain text; in base64:\n%s", encoded);
        if (next < size)
                strbuf_addf(&task->text, "\n[… the file has %jd bytes, and goes on at offset %jd …]", (intmax_t)size,
                            (intmax_t)next);
        return 0;
}

static int decode(const char *text, struct strbuf *out, struct error **err)
{
        size_t length = 0;

        strbuf_reserve(out, strlen(text));
        if (sodium_base642bin((unsigned char *)out->buf, strlen(text), text, strlen(text), " \t\r\n", &length, NULL,
                              sodium_base64_VARIANT_ORIGINAL) < 0)
                return error_set(err, ERROR_USAGE, "argument 'content_base64' is not base64");
        out->buf[length] = '\0';
        out->len = length;
        return 0;
}

int tool_write_file(struct task *task, struct error **err)
{
        const char *text = task_text(task, "content"), *encoded = task_text(task, "content_base64");
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *folder = NULL;
        bool created = false;

        if (!text == !encoded)
                return error_set(err, ERROR_USAGE, "give either 'content' or 'content_base64'%s", text ? ", not both" : "");
        if (text)
                strbuf_adds(&content, text);
        else if (decode(encoded, &content, err) < 0)
                return -1;
        if (open_folder(task, &vm, &folder, err) < 0 ||
            file_in_guest_write(&vm, folder, task_text(task, "path"), &content, &created, err) < 0)
                return -1;
        task->found = json_pack("{s:s, s:I, s:b}", "path", task_text(task, "path"), "bytes", (json_int_t)content.len, "created",
                                (int)created);
        return 0;
}
