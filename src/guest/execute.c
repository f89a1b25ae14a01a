#include "guest/execute.h"

#include <sys/wait.h>
#include <unistd.h>

#include "guest/script.h"
#include "lib/deadline.h"
#include "lib/text.h"

#define SSH_FAILED 255 /* ssh(1), EXIT STATUS: its own, or the command's */

struct listener {
        const struct execution *what;
        const char *mark;
        bool begun;
};

void execution_result_clear(struct execution_result *result)
{
        strbuf_clear(&result->out.text);
        strbuf_clear(&result->err.text);
        *result = (struct execution_result)EXECUTION_RESULT_INIT;
}

/* What a login prints, and the lines with the mark, are not the program's. */
static void on_line(const char *line, void *data)
{
        struct listener *listener = data;
        bool mark = starts_with(line, listener->mark);

        if (listener->begun && !mark && listener->what->on_line)
                listener->what->on_line(line, listener->what->on_line_data);
        listener->begun |= mark;
}

/* Hands out what a stream has, without all that comes before the program's own output, which ends with the line of the mark.
 * Returns the word after the mark, "begun" or "folder"; NULL when the script never ran. Static. */
static const char *take_output(const char *mark, size_t limit, struct strbuf *said, size_t cut, struct execution_output *out)
{
        static const char *const words[] = { "begun", "folder" };
        const char *at = strstr(said->buf, mark);
        const char *end = at ? strchr(at, '\n') : NULL;
        size_t before = end ? (size_t)(end + 1 - said->buf) : 0;
        const char *word = NULL;

        for (size_t i = 0; end && i < ARRAY_SIZE(words); i++)
                if (starts_with(at + strlen(mark), words[i]))
                        word = words[i];
        *out = (struct execution_output){ .text = *said, .cut = cut, .at = limit / 2 > before ? limit / 2 - before : 0 };
        *said = (struct strbuf)STRBUF_INIT;
        strbuf_consume(&out->text, before);
        return word;
}

int execute(const struct vm *vm, const struct execution *what, struct execution_result *result, struct error **err)
{
        /* No two of these run in a process at a time. */
        _cleanup_(freep) char *mark = xasprintf("machine-execute-%ld-%lld ", (long)getpid(), (long long)now_ms());
        _cleanup_(process_result_clear) struct process_result ran = PROCESS_RESULT_INIT;
        const struct session session = { .vm = vm };
        struct listener listener = { .what = what, .mark = mark };
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        const struct process_spec how = { .input = "",
                                          .hold_input = true,
                                          .new_session = true,
                                          .tell_limits = true,
                                          .timeout_ms = what->timeout_ms,
                                          .output_limit = what->output_limit,
                                          .on_line = on_line,
                                          .on_line_data = &listener };
        const char *word;

        strv_adds(&args, mark, what->folder, what->script ? "script" : "program", NULL);
        if (what->script)
                strv_add(&args, what->script);
        for (const char *const *each = what->argv; *each; each++)
                strv_add(&args, *each);
        if (script_command("execute.sh", &args, &remote, err) < 0 || session_take(&session, remote.buf, &how, &ran, err) < 0)
                return -1;
        if (!ran.late && WIFEXITED(ran.status) && WEXITSTATUS(ran.status) == SSH_FAILED && !strstr(ran.err.buf, mark))
                return session_failed(&session, &ran, err);
        result->status = process_exit_status(ran.status);
        result->late = ran.late;
        word = take_output(mark, what->output_limit, &ran.err, ran.err_cut, &result->err);
        take_output(mark, what->output_limit, &ran.out, ran.out_cut, &result->out);
        if (streq_ptr(word, "folder"))
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' has no folder '%s'", vm->name, what->folder);
        return 0;
}
