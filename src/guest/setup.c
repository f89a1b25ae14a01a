#include "guest/setup.h"

#include "guest/script.h"
#include "lib/text.h"

/* A project's own work may build a compiler on an emulated processor, but it must end. */
#define SETUP_MS (12 * 60 * 60 * 1000)

struct progress {
        struct event_sink *events;
        char *command; /* the one that runs */
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
                return;
        }
        set_string(&progress->command, xstrdup(visible + strlen(mark)));
        if (!progress->begun)
                event_begin(progress->events, "setup", "setting up '%s'", progress->folder);
        progress->begun = true;
        event_line(progress->events, progress->command);
}

static int fail(const struct vm *vm, const struct progress *progress, struct error **err)
{
        _cleanup_(freep) char *inner =
                xasprintf("cd ~/code/%s && %s", progress->folder, progress->command ? progress->command : "…");
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        text_shell_quote(&quoted, inner);
        error_wrap(err, "cannot set up '%s'%s%s", progress->folder, progress->command ? " by: " : "",
                   progress->command ? progress->command : "");
        return error_hint(err, "machine run %s -- sh -lc %s", vm->name, quoted.buf);
}

int setup_run(const struct vm *vm, const char *folder, const struct strv *commands, struct event_sink *events,
              struct error **err)
{
        struct progress progress = { .events = events, .folder = folder };
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
        free(progress.command);
        return status;
}
