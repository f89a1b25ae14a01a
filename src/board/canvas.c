#include "board/canvas.h"

#include "lib/text.h"
#include "term/width.h"

void canvas_begin(struct canvas *canvas, size_t width, size_t height, bool unicode)
{
        *canvas = (struct canvas){
                .width = width,
                .height = height,
                .unicode = unicode,
                .lines = xcalloc(height + 1, sizeof(*canvas->lines)),
        };
}

void canvas_clear(struct canvas *canvas)
{
        for (size_t row = 0; row < canvas->height; row++) {
                for (size_t i = 0; i < canvas->lines[row].count; i++)
                        free(canvas->lines[row].spans[i].text);
                free(canvas->lines[row].spans);
        }
        free(canvas->lines);
        *canvas = (struct canvas)CANVAS_INIT;
}

/* Appends what the canvas can show of the text: a tab is as wide as the terminal likes, and where there is no Unicode each
 * character that isn't ASCII is replaced. */
static void show(const struct canvas *canvas, const char *text, struct strbuf *out)
{
        _cleanup_(strbuf_clear) struct strbuf visible = STRBUF_INIT;

        text_visible(&visible, text, strlen(text));
        for (const char *at = visible.buf; *at; at++) {
                unsigned char byte = (unsigned char)*at;

                if (byte == '\t')
                        strbuf_addc(out, ' ');
                else if (byte < 0x80 || canvas->unicode)
                        strbuf_addc(out, *at);
                else if (byte >= 0xc0)
                        strbuf_addc(out, '?');
        }
}

static void add_span(struct canvas_line *line, unsigned style, char *text, size_t columns)
{
        line->spans = xreallocarray(line->spans, line->count + 1, sizeof(*line->spans));
        line->spans[line->count++] = (struct canvas_span){ style, text };
        line->columns += columns;
}

void canvas_put(struct canvas *canvas, size_t row, unsigned style, const char *text, size_t columns)
{
        struct canvas_line *line = row < canvas->height ? &canvas->lines[row] : NULL;
        size_t room = line ? canvas->width - line->columns : 0;
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;
        struct strbuf cut = STRBUF_INIT;
        size_t used;

        if (room == 0)
                return;
        show(canvas, text, &shown);
        used = width_add(&cut, shown.buf, columns < room ? columns : room, canvas->unicode);
        add_span(line, style, strbuf_take(&cut), used);
}

void canvas_fill(struct canvas *canvas, size_t row, unsigned style, size_t column)
{
        struct canvas_line *line = row < canvas->height ? &canvas->lines[row] : NULL;
        size_t end = column < canvas->width ? column : canvas->width;

        if (line && line->columns < end)
                add_span(line, style, xasprintf("%*s", (int)(end - line->columns), ""), end - line->columns);
}

char *canvas_text(const struct canvas *canvas, size_t row)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        for (size_t i = 0; row < canvas->height && i < canvas->lines[row].count; i++)
                strbuf_adds(&out, canvas->lines[row].spans[i].text);
        strbuf_trim_end(&out);
        return strbuf_take(&out);
}
