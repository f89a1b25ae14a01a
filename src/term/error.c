#include <unistd.h>

#include "lib/text.h"
#include "term/json_line.h"
#include "term/output.h"
#include "term/terminal.h"

/* Appends the lines, made visible. All but the first are indented, so that none of them passes for a line of ours. */
static void add_lines(struct strbuf *out, const char *text)
{
        size_t length = strlen(text);

        /* What a program printed often ends with a line end that says nothing. */
        while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
                length--;
        for (;;) {
                size_t line = 0;

                while (line < length && text[line] != '\n' && text[line] != '\r')
                        line++;
                text_visible(out, text, line);
                if (line == length)
                        return;
                strbuf_adds(out, "\n    ");
                line += line + 1 < length && text[line] == '\r' && text[line + 1] == '\n' ? 2 : 1;
                length -= line;
                text += line;
        }
}

/* Returns "FILE:LINE:COLUMN:", as editors understand it, or "machine:" for an error without a file. */
static char *origin(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (!error->file)
                return xstrdup("machine:");
        text_visible(&out, error->file, strlen(error->file));
        if (error->line > 0)
                strbuf_addf(&out, ":%u", error->line);
        if (error->line > 0 && error->column > 0)
                strbuf_addf(&out, ":%u", error->column);
        strbuf_addc(&out, ':');
        return strbuf_take(&out);
}

static void add_error(const struct terminal *terminal, const struct error *error, struct strbuf *out)
{
        _cleanup_(freep) char *prefix = origin(error);

        terminal_style(terminal, out, STYLE_RED, prefix);
        for (const struct error *each = error; each; each = each->cause) {
                strbuf_adds(out, each == error ? " " : ": ");
                add_lines(out, each->message);
        }
        strbuf_addc(out, '\n');
        if (!error->hint)
                return;
        strbuf_adds(out, "  ");
        terminal_style(terminal, out, STYLE_BOLD, "hint:");
        strbuf_addc(out, ' ');
        add_lines(out, error->hint);
        strbuf_addc(out, '\n');
}

static json_t *json_of_place(unsigned number)
{
        return number > 0 ? json_integer(number) : json_null();
}

static void print_json(const struct error *error)
{
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;
        _cleanup_(json_decrefp) json_t *value = json_object();

        for (const struct error *each = error; each; each = each->cause)
                strbuf_addf(&message, "%s%s", each == error ? "" : ": ", each->message);
        json_object_set_new(value, "event", json_string("error"));
        json_object_set_new(value, "kind", json_string(error_kind_name(error->kind)));
        json_object_set_new(value, "message", json_line_text(message.buf));
        json_object_set_new(value, "hint", json_line_text(error->hint));
        json_object_set_new(value, "file", json_line_text(error->file));
        json_object_set_new(value, "line", json_of_place(error->line));
        json_object_set_new(value, "column", json_of_place(error->column));
        json_line_print(value);
}

void output_error(enum output_mode mode, const struct error *error)
{
        struct terminal terminal = terminal_of(STDERR_FILENO);
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        if (mode != OUTPUT_AUTO)
                terminal.color = false;
        for (; error; error = error->next) {
                if (mode == OUTPUT_JSON)
                        print_json(error);
                else
                        add_error(&terminal, error, &out);
        }
        terminal_write(&terminal, &out);
}
