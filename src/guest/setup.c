#include "guest/setup.h"

#include "guest/advice.h"
#include "guest/script.h"
#include "guest/transcript.h"
#include "lib/text.h"

/* A project's own work may build a compiler on an emulated processor, but it must end. */
#define SETUP_MS (12 * 60 * 60 * 1000)

struct progress {
        struct event_sink *events;
        char *command; /* the one that runs */
        struct transcript said;
        bool begun;
        const char *folder;
};

/* Shows nothing for a repo that asks for nothing. */
static void on_line(const char *line, void *data)
{
        static const char mark[] = "command ";
        struct progress *progress = data;
        _cleanup_(freep) char *visible = text_said_dup(line);

        if (!starts_with(visible, mark)) {
                if (progress->begun)
                        event_line(progress->events, visible);
                transcript_add(&progress->said, visible);
                return;
        }
        /* What earlier commands said has nothing to do with how this one ends. */
        transcript_clear(&progress->said);
        set_string(&progress->command, xstrdup(visible + strlen(mark)));
        if (!progress->begun)
                event_begin(progress->events, "setup", "setting up '%s'", progress->folder);
        progress->begun = true;
        event_line(progress->events, progress->command);
}

/*
 * What the command said last is the reason when it failed, and the log has the rest. When the session ended for another reason
 * (the guest is paused, the connection broke), the error has that already.
 */
static int fail(const struct vm *vm, const struct progress *progress, struct error **err)
{
        const char *command = progress->command ? progress->command : "";
        _cleanup_(freep) char *inner = xasprintf("cd ~/code/%s && %s", progress->folder, *command ? command : "…");
        _cleanup_(freep) char *name = xasprintf("setup-%s", progress->folder);
        _cleanup_(freep) char *log = transcript_keep(&progress->said, vm, name);
        _cleanup_(freep) char *shown = log ? text_shell_path(log) : NULL;
        _cleanup_(freep) char *why = transcript_why(&progress->said);
        _cleanup_(strbuf_clear) struct strbuf again = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf hint = STRBUF_INIT;
        _cleanup_(freep) char *trust = NULL;

        strbuf_addf(&again, "machine run %s -- sh -lc ", vm->name);
        text_shell_quote(&again, inner);
        trust = advice_on_trust(progress->said.text.buf, progress->said.text.len, again.buf);
        if (*why && err && *err && !(*err)->hint && !(*err)->cause)
                error_set(err, ERROR_STEP, "%s", why);
        error_wrap(err, "cannot set up '%s'%s%s", progress->folder, *command ? " by: " : "", command);
        if (shown)
                strbuf_addf(&hint, "less %s; ", shown);
        if (trust)
                strbuf_adds(&hint, trust);
        else
                strbuf_addf(&hint, "to try again: %s", again.buf);
        error_hint(err, "%s", hint.buf);
        return -1;
}

int setup_run(const struct vm *vm, const char *folder, const struct strv *commands, struct event_sink *events,
              struct error **err)
{
        struct progress progress = { .events = events, .folder = folder, .said = TRANSCRIPT_INIT };
        _cleanup_(strbuf_clear) struct strbuf find = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        int status;

        if (script_text(SETUP_FIND, &find, err) < 0)
                return -1;
        strv_add(&args, folder);
        strv_add_all(&args, commands);
        status =
                script_run(&(struct session){ .vm = vm }, "setup.sh", &args, find.buf, SETUP_MS, on_line, &progress, NULL, err);
        if (progress.begun)
                event_end(events, "setup", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        if (status < 0)
                fail(vm, &progress, err);
        transcript_clear(&progress.said);
        free(progress.command);
        return status;
}
