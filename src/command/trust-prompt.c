#include "command/trust-prompt.h"

#include <unistd.h>

#include "config/checkout.h"
#include "config/trust.h"
#include "lib/file.h"
#include "lib/text.h"
#include "term/prompt.h"

#define NAMES_SHOWN 5

/* Shows a file of the repo on the terminal, line by line, each made harmless. */
static void show_file(const struct checkout_tree *tree, const struct checkout_file *file)
{
        const struct strbuf *content = &file->content;
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;
        _cleanup_(freep) char *name = text_visible_dup(file->name);

        for (size_t start = 0, end; start < content->len; start = end + 1) {
                const char *found = memchr(content->buf + start, '\n', content->len - start);

                end = found ? (size_t)(found - content->buf) : content->len;
                strbuf_adds(&shown, "  ");
                text_visible(&shown, content->buf + start, end - start);
                strbuf_addc(&shown, '\n');
        }
        if (content->len == 0)
                strbuf_adds(&shown, file == tree->files ? "  (nothing: every key has its default)\n" : "  (nothing)\n");
        fprintf(stderr, "%s/%s says:\n\n%s\n", tree->folder, name, shown.buf);
}

int trust_prompt_give(struct context *context, const struct checkout_tree *tree, bool yes, struct error **err)
{
        _cleanup_(freep) char *file = path_join(tree->folder, CHECKOUT_FILE);
        _cleanup_(freep) char *command = checkout_trust_command(tree->folder);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv beside = STRV_INIT;
        _cleanup_(freep) char *names = NULL;
        int answer = 1;

        checkout_tree_content(tree, &content);
        if (!yes) {
                output_settle(context->output);
                for (size_t i = 0; i < tree->count; i++)
                        show_file(tree, &tree->files[i]);
                answer = prompt_yes(tree->count == 1 ? "Trust this file, as it is now?" : "Trust these files, as they are now?",
                                    command, err);
        }
        if (answer < 0)
                return -1;
        if (answer == 0) {
                error_set(err, ERROR_CONFIG, "'%s' is not trusted", file);
                return error_hint(err, "read it, then: %s", command);
        }
        if (trust_give(file, content.buf, content.len, err) < 0)
                return -1;
        if (tree->count == 1) {
                event_note(context->front.events, "trusted '%s'", file);
                return 0;
        }
        for (size_t i = 1; i < tree->count; i++)
                strv_add(&beside, tree->files[i].name);
        names = text_first_of(&beside, NAMES_SHOWN);
        event_note(context->front.events, "trusted '%s' and %zu other file%s: %s", file, beside.count,
                   beside.count == 1 ? "" : "s", names);
        return 0;
}

int trust_prompt(struct front *front, const struct checkout_tree *tree, bool changed, struct error **err)
{
        /* A context begins with its front. */
        struct context *context = (struct context *)(void *)front;
        _cleanup_(freep) char *file = NULL;

        if (context->mode == OUTPUT_JSON || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
                return 0;
        file = path_join(tree->folder, CHECKOUT_FILE);
        if (changed)
                event_note(front->events, "'%s'%s changed since it was trusted", file,
                           tree->count == 1 ? "" : ", or a recipe beside it,");
        return trust_prompt_give(context, tree, false, err) < 0 ? -1 : 1;
}
