#include "term/width.h"

#include <wchar.h>

#define WRAP_LEAST 8

/* Returns one character of UTF-8 and its length in bytes. A byte that begins no character stands for itself. */
static wchar_t decode(const char *text, size_t *length)
{
        static const struct {
                unsigned char mask, value;
        } leads[] = { { 0x80, 0x00 }, { 0xe0, 0xc0 }, { 0xf0, 0xe0 }, { 0xf8, 0xf0 } };
        const unsigned char *bytes = (const unsigned char *)text;

        for (size_t more = 0; more < ARRAY_SIZE(leads); more++) {
                wchar_t c = bytes[0] & (unsigned char)~leads[more].mask;
                size_t got = 0;

                if ((bytes[0] & leads[more].mask) != leads[more].value)
                        continue;
                while (got < more && (bytes[got + 1] & 0xc0) == 0x80)
                        c = (c << 6) | (bytes[++got] & 0x3f);
                if (got < more)
                        break;
                *length = more + 1;
                return c;
        }
        *length = 1;
        return bytes[0];
}

/* wcwidth() knows letters beyond ASCII only in a UTF-8 locale; elsewhere most of them take one column. */
static size_t columns_of(wchar_t c)
{
        int columns = wcwidth(c);

        return columns < 0 ? 1 : (size_t)columns;
}

size_t width_of(const char *text)
{
        size_t columns = 0;

        while (*text) {
                size_t length;

                columns += columns_of(decode(text, &length));
                text += length;
        }
        return columns;
}

size_t width_cut(const char *text, size_t columns)
{
        const char *end = text;

        while (*end) {
                size_t length;
                size_t wanted = columns_of(decode(end, &length));

                if (wanted > columns)
                        break;
                columns -= wanted;
                end += length;
        }
        return (size_t)(end - text);
}

/* Returns where to break a text of which `fits` bytes fit: the bytes of the line. */
static size_t break_at(const char *text, size_t fits)
{
        if (text[fits] == ' ')
                return fits;
        for (size_t i = fits; i > 0; i--)
                if (text[i - 1] == ' ')
                        return i;
        for (size_t i = fits; i > 1; i--)
                if (text[i - 1] == ',' || text[i - 1] == '/')
                        return i;
        return fits;
}

void width_wrap(struct strbuf *out, const char *text, size_t columns, size_t indent)
{
        /* On a terminal that is too narrow for anything, a line still gets some room. */
        size_t room = columns > indent + WRAP_LEAST ? columns - indent : WRAP_LEAST;

        while (columns != SIZE_MAX && width_of(text) > room) {
                size_t length = break_at(text, width_cut(text, room));
                size_t shown = length;

                while (shown > 0 && text[shown - 1] == ' ')
                        shown--;
                strbuf_add(out, text, shown);
                text += length;
                text += strspn(text, " ");
                if (*text == '\0')
                        return;
                strbuf_addf(out, "\n%*s", (int)indent, "");
        }
        strbuf_adds(out, text);
}

size_t width_add(struct strbuf *out, const char *text, size_t columns, bool unicode)
{
        const char *mark = unicode ? "…" : "...";
        size_t whole = width_of(text);
        size_t room = width_of(mark);
        size_t length;

        if (whole <= columns) {
                strbuf_adds(out, text);
                return whole;
        }
        if (columns < room)
                return 0;
        length = width_cut(text, columns - room);
        strbuf_add(out, text, length);
        strbuf_adds(out, mark);
        return columns;
}
