/*
 * Takes a message's bytes from the front: a byte, a number, or a string (its length in four bytes, then that many bytes). Each
 * function returns false, and leaves `out` as it was, when there aren't enough bytes. Source: RFC 4251, section 5.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "lib/util.h"

struct piece {
        const unsigned char *data;
        size_t length;
};

static inline bool piece_take_byte(struct piece *from, unsigned char *out)
{
        if (from->length < 1)
                return false;
        *out = *from->data++;
        from->length--;
        return true;
}

static inline bool piece_take_number(struct piece *from, uint32_t *out)
{
        if (from->length < 4)
                return false;
        *out = (uint32_t)from->data[0] << 24 | (uint32_t)from->data[1] << 16 | (uint32_t)from->data[2] << 8 | from->data[3];
        from->data += 4;
        from->length -= 4;
        return true;
}

static inline bool piece_take_string(struct piece *from, struct piece *out)
{
        uint32_t length;

        if (!piece_take_number(from, &length) || length > from->length)
                return false;
        *out = (struct piece){ from->data, length };
        from->data += length;
        from->length -= length;
        return true;
}

static inline bool piece_is(const struct piece *piece, const char *text)
{
        return piece->length == strlen(text) && memcmp(piece->data, text, piece->length) == 0;
}
