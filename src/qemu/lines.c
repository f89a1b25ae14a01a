#include "qemu/lines.h"

void lines_clear(struct lines *lines)
{
        strbuf_clear(&lines->data);
        lines->searched = 0;
}

void lines_feed(struct lines *lines, const char *data, size_t length)
{
        strbuf_add(&lines->data, data, length);
}

static int too_long(const struct lines *lines, struct error **err)
{
        return error_set(err, ERROR_FAILED, "a line of more than %zu bytes", lines->limit);
}

int lines_next(struct lines *lines, struct strbuf *out, struct error **err)
{
        const char *end = memchr(lines->data.buf + lines->searched, '\n', lines->data.len - lines->searched);
        size_t length;

        if (!end) {
                lines->searched = lines->data.len;
                return lines->data.len > lines->limit ? too_long(lines, err) : 0;
        }
        length = (size_t)(end - lines->data.buf);
        if (length > lines->limit)
                return too_long(lines, err);
        strbuf_reset(out);
        strbuf_add(out, lines->data.buf, length > 0 && end[-1] == '\r' ? length - 1 : length);
        strbuf_consume(&lines->data, length + 1);
        lines->searched = 0;
        return 1;
}
