/*
 * A text that grows. Always NUL-terminated (buf is never NULL after STRBUF_INIT), may hold NUL bytes inside.
 *
 *         _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
 *         strbuf_addf(&line, "%s:%u", file, number);
 *         return strbuf_take(&line);
 */
#pragma once

#include "lib/util.h"

struct strbuf {
        char *buf;
        size_t len;
        size_t room; /* allocated bytes; 0 = buf is the shared empty text */
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                                                            \
        {                                                                                                                      \
                .buf = strbuf_empty                                                                                            \
        }

void strbuf_clear(struct strbuf *sb); /* frees; usable again afterwards */
void strbuf_reset(struct strbuf *sb); /* length 0, keeps the room */
void strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t length);
void strbuf_adds(struct strbuf *sb, const char *text);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *format, ...) _printf_(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *format, va_list args) _printf_(2, 0);
/* Shortens to `length` bytes; does nothing when it is already shorter. */
void strbuf_truncate(struct strbuf *sb, size_t length);
/* Removes `length` bytes from the front. */
void strbuf_consume(struct strbuf *sb, size_t length);
/* Removes white space at the end. */
void strbuf_trim_end(struct strbuf *sb);
/* Hands out the text, to be freed by the caller; the buffer is empty afterwards. */
char *strbuf_take(struct strbuf *sb);
