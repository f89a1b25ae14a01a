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

/* What a login prints, and the line with the mark, are not the program's. */
static void on_line(const char *line, void *data)
{
        struct listener *listener = data;

        if (!listener->begun)
                listener->begun = starts_with(line, listener->mark);
        else if (listener->what->on_line)
                listener->what->on_line(line, listener->what->on_line_data);
}

/* Takes everything up to the line with the mark out of what came on stderr. Returns the word after the mark, "begun" or
 * "folder"; NULL when the script never ran. Static. */
static const char *take_mark(const char *mark, struct strbuf *text)
{
        static const char *const words[] = { "begun", "folder" };
        const char *at = strstr(text->buf, mark);
        const char *end = at ? strchr(at, '\n') : NULL;

        for (size_t i = 0; end && i < ARRAY_SIZE(words); i++)
                if (starts_with(at + strlen(mark), words[i])) {
                        strbuf_consume(text, (size_t)(end + 1 - text->buf));
                        return words[i];
                }
        return NULL;
}

int execute(const struct vm *vm, const struct execution *what, struct process_result *result, struct error **err)
{
        /* No two of these run in a process at a time. */
        _cleanup_(freep) char *mark = xasprintf("machine-execute-%ld-%lld ", (long)getpid(), (long long)now_ms());
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
        if (script_command("execute.sh", &args, &remote, err) < 0 || session_take(&session, remote.buf, &how, result, err) < 0)
                return -1;
        word = take_mark(mark, &result->err);
        if (streq_ptr(word, "folder"))
                return error_set(err, ERROR_NOT_FOUND, "VM '%s' has no folder '%s'", vm->name, what->folder);
        if (!word && !result->late && WIFEXITED(result->status) && WEXITSTATUS(result->status) == SSH_FAILED)
                return session_failed(&session, result, err);
        return 0;
}
