#include "command/offer-prompt.h"

#include <unistd.h>

#include "lib/text.h"
#include "term/prompt.h"

int offer_write(struct context *context, const struct starter *starter, bool replace, struct error **err)
{
        bool trusted = false;

        if (starter_write(starter, replace, &trusted, err) < 0)
                return -1;
        if (trusted)
                event_note(context->front.events, "'%s' is written, and trusted as it is now", starter->file);
        else
                event_note(context->front.events,
                           "'%s' is written; a recipe beside it has to be trusted with it: machine trust", starter->file);
        return 0;
}

static void show(const struct starter *starter)
{
        _cleanup_(freep) char *folder = text_visible_dup(starter->folder);

        fprintf(stderr, "'%s' is not a project yet. This file would make it one:\n\n", folder);
        for (const char *line = starter->text.buf; *line;) {
                size_t length = strcspn(line, "\n");
                _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

                text_visible(&shown, line, length);
                fprintf(stderr, "%s%s\n", length > 0 ? "  " : "", shown.buf);
                line += length + (line[length] == '\n');
        }
        fprintf(stderr, "\n");
}

int offer_prompt(struct front *front, const struct starter *starter, struct error **err)
{
        /* A context begins with its front. */
        struct context *context = (struct context *)(void *)front;
        _cleanup_(freep) char *question = NULL;
        int answer;

        if (context->mode == OUTPUT_JSON || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return 0;
        output_settle(context->output);
        show(starter);
        question = xasprintf("Write this to '%s', and go on?", starter->file);
        answer = prompt_yes(question, "machine init", err);
        if (answer < 0)
                return -1;
        if (answer == 0) {
                error_set(err, ERROR_NOT_FOUND, "'%s' is not a project yet", starter->folder);
                return error_hint(err, "machine up default makes a VM that has none of this code");
        }
        return offer_write(context, starter, false, err) < 0 ? -1 : 1;
}
