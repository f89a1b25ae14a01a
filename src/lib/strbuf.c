#include "lib/strbuf.h"

char strbuf_empty[1];

void strbuf_clear(struct strbuf *sb)
{
        if (!sb)
                return;
        if (sb->room > 0)
                free(sb->buf);
        *sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_reset(struct strbuf *sb)
{
        strbuf_truncate(sb, 0);
}

void strbuf_reserve(struct strbuf *sb, size_t extra)
{
        size_t needed;
        size_t room = sb->room;

        /* The sum saturates, and an allocation of that size ends the program in the usual place. */
        if (__builtin_add_overflow(sb->len, extra, &needed) || __builtin_add_overflow(needed, 1, &needed))
                needed = SIZE_MAX;
        if (needed <= room)
                return;
        if (room < 32)
                room = 32;
        while (room < needed)
                room = room > SIZE_MAX / 2 ? SIZE_MAX : room * 2;
        sb->buf = xrealloc(sb->room > 0 ? sb->buf : NULL, room);
        sb->room = room;
        sb->buf[sb->len] = '\0';
}

void strbuf_add(struct strbuf *sb, const void *data, size_t length)
{
        if (length == 0)
                return;
        strbuf_reserve(sb, length);
        memcpy(sb->buf + sb->len, data, length);
        sb->len += length;
        sb->buf[sb->len] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *text)
{
        strbuf_add(sb, text, strlen(text));
}

void strbuf_addc(struct strbuf *sb, char c)
{
        strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        strbuf_vaddf(sb, format, args);
        va_end(args);
}

void strbuf_vaddf(struct strbuf *sb, const char *format, va_list args)
{
        _cleanup_(freep) char *text = xvasprintf(format, args);

        strbuf_adds(sb, text);
}

void strbuf_truncate(struct strbuf *sb, size_t length)
{
        if (length >= sb->len)
                return;
        sb->len = length;
        sb->buf[length] = '\0';
}

void strbuf_consume(struct strbuf *sb, size_t length)
{
        if (length >= sb->len) {
                strbuf_reset(sb);
                return;
        }
        memmove(sb->buf, sb->buf + length, sb->len - length);
        strbuf_truncate(sb, sb->len - length);
}

void strbuf_trim_end(struct strbuf *sb)
{
        size_t length = sb->len;

        while (length > 0 && strchr(" \t\n\v\f\r", sb->buf[length - 1]) && sb->buf[length - 1] != '\0')
                length--;
        strbuf_truncate(sb, length);
}

char *strbuf_take(struct strbuf *sb)
{
        char *text = sb->room > 0 ? sb->buf : xstrdup("");

        *sb = (struct strbuf)STRBUF_INIT;
        return text;
}
