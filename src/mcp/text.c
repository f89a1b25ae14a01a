#include "mcp/text.h"

#include "lib/text.h"

void text_add_said(struct strbuf *out, const char *said, size_t length)
{
        for (size_t start = 0, end; start < length; start = end + 1) {
                const char *found = memchr(said + start, '\n', length - start);
                size_t shown;

                end = found ? (size_t)(found - said) : length;
                shown = end - start;
                if (found && shown > 0 && said[end - 1] == '\r')
                        shown--;
                text_visible(out, said + start, shown);
                if (found)
                        strbuf_addc(out, '\n');
        }
}

void text_add_cut(struct strbuf *out, const struct strbuf *said, size_t at, size_t missing)
{
        if (missing == 0 || at > said->len) {
                text_add_said(out, said->buf, said->len);
                return;
        }
        text_add_said(out, said->buf, at);
        strbuf_addf(out, "\n[… %zu bytes are left out here …]\n", missing);
        text_add_said(out, said->buf + at, said->len - at);
}

bool text_is_plain(const char *text, size_t length)
{
        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

        for (size_t start = 0, end; start < length; start = end + 1) {
                const char *found = memchr(text + start, '\n', length - start);
                size_t line;

                end = found ? (size_t)(found - text) : length;
                line = end - start;
                if (found && line > 0 && text[end - 1] == '\r')
                        line--;
                strbuf_reset(&shown);
                text_visible(&shown, text + start, line);
                if (shown.len != line)
                        return false;
        }
        return true;
}

void text_add_error(struct strbuf *out, const struct error *error)
{
        for (; error; error = error->next) {
                _cleanup_(freep) char *text = error_placed_text(error);

                strbuf_addf(out, "%s%s\n", out->len > 0 ? "\n" : "", text);
                if (error->hint)
                        strbuf_addf(out, "%s: %s\n",
                                    starts_with(error->hint, "machine ") ? "What a person can do on the host" : "Hint",
                                    error->hint);
        }
        strbuf_trim_end(out);
}
