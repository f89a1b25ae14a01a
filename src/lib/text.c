#include "lib/text.h"

#include <sodium.h>

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <strings.h>

#define NAME_LIMIT 40

/*
 * Decodes the character at the front of `text`. Returns its length in bytes, or 0 when these bytes are not UTF-8 (RFC 3629: no
 * overlong forms, no surrogates, nothing beyond U+10FFFF).
 */
static size_t decode_utf8(const unsigned char *text, size_t length, uint32_t *character)
{
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        size_t size;

        if (text[0] < 0x80) {
                *character = text[0];
                return 1;
        }
        if (text[0] < 0xC2 || text[0] > 0xF4)
                return 0;
        size = text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
        if (size > length)
                return 0;
        *character = text[0] & (0xFFU >> (size + 1));
        for (size_t i = 1; i < size; i++) {
                if ((text[i] & 0xC0) != 0x80)
                        return 0;
                *character = *character << 6 | (text[i] & 0x3FU);
        }
        if (*character < least[size] || *character > 0x10FFFF || (*character >= 0xD800 && *character <= 0xDFFF))
                return 0;
        return size;
}

static bool is_harmless(uint32_t character)
{
        if (character < 0x20)
                return character == '\t';
        if (character >= 0x7F && character <= 0x9F)
                return false;
        return !(character >= 0x202A && character <= 0x202E) && !(character >= 0x2066 && character <= 0x2069);
}

void text_visible(struct strbuf *out, const char *text, size_t length)
{
        const unsigned char *bytes = (const unsigned char *)text;

        for (size_t i = 0; i < length;) {
                uint32_t character = 0;
                size_t size = decode_utf8(bytes + i, length - i, &character);
                size_t end = i + (size > 0 ? size : 1);

                if (size > 0 && is_harmless(character)) {
                        strbuf_add(out, text + i, size);
                        i = end;
                }
                for (; i < end; i++)
                        strbuf_addf(out, "\\x%02x", bytes[i]);
        }
}

char *text_visible_dup(const char *text)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        text_visible(&out, text, strlen(text));
        return strbuf_take(&out);
}

const char *text_shown(const char *line, size_t *length, const char *end)
{
        const char *again;

        while (*length > 0 && strchr(end, line[*length - 1]))
                (*length)--;
        again = text_last(line, *length, '\r');
        if (!again)
                return line;
        *length -= (size_t)(again + 1 - line);
        return again + 1;
}

void text_said(struct strbuf *out, const char *line, size_t length)
{
        const char *shown = text_shown(line, &length, "\r");

        text_visible(out, shown, length);
}

char *text_said_dup(const char *line)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        text_said(&out, line, strlen(line));
        return strbuf_take(&out);
}

static void add_in_quotes(struct strbuf *out, const char *word)
{
        strbuf_addc(out, '\'');
        for (; *word; word++) {
                if (*word == '\'')
                        strbuf_adds(out, "'\\''");
                else
                        strbuf_addc(out, *word);
        }
        strbuf_addc(out, '\'');
}

void text_shell_quote(struct strbuf *out, const char *word)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=";
        const char *equals = strchr(word, '=');

        /* NAME=value in front of a command would be an assignment; in an option it is plain. */
        if (*word != '\0' && word[strspn(word, plain)] == '\0' && (!equals || *word == '-')) {
                strbuf_adds(out, word);
                return;
        }
        add_in_quotes(out, word);
}

char *text_shell_join(const char *const *argv)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        for (size_t i = 0; argv[i]; i++) {
                if (i > 0)
                        strbuf_addc(&out, ' ');
                text_shell_quote(&out, argv[i]);
        }
        return strbuf_take(&out);
}

char *text_shell_path(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        add_in_quotes(&out, path);
        return strbuf_take(&out);
}

char *text_first_of(const struct strv *list, size_t most)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        for (size_t i = 0; i < list->count && i < most; i++) {
                strbuf_adds(&out, i == 0 ? "" : i + 1 == list->count ? " and " : ", ");
                text_visible(&out, list->items[i], strlen(list->items[i]));
        }
        if (list->count > most)
                strbuf_addf(&out, " and %zu more", list->count - most);
        return strbuf_take(&out);
}

static size_t smaller(size_t a, size_t b)
{
        return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours count one each. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t a_length = strlen(a);
        size_t b_length = strlen(b);
        size_t width = b_length + 1;
        _cleanup_(freep) size_t *rows = xreallocarray(NULL, 3 * width, sizeof(*rows));
        size_t *older = rows;
        size_t *old = rows + width;
        size_t *row = rows + 2 * width;

        for (size_t j = 0; j < width; j++)
                row[j] = j;
        for (size_t i = 1; i <= a_length; i++) {
                size_t *recycled = older;

                older = old;
                old = row;
                row = recycled;
                row[0] = i;
                for (size_t j = 1; j <= b_length; j++) {
                        row[j] = smaller(smaller(old[j], row[j - 1]) + 1, old[j - 1] + (a[i - 1] != b[j - 1]));
                        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                                row[j] = smaller(row[j], older[j - 2] + 1);
                }
        }
        return row[b_length];
}

const char *text_suggest(const char *word, const char *const *candidates)
{
        size_t limit = strlen(word) / 3;
        const char *best = NULL;

        if (*word == '\0')
                return NULL;
        if (limit < 1)
                limit = 1;
        for (; *candidates; candidates++) {
                size_t distance = edit_distance(word, *candidates);

                if (distance > limit || (best && distance == limit))
                        continue;
                best = *candidates;
                limit = distance;
        }
        return best;
}

/* The power of 1024 that a unit stands for, or -1. Spaces may stand before it. */
static int unit_shift(const char *text)
{
        static const char units[] = "KkMmGgTt";
        const char *unit = text + strspn(text, " ");
        const char *found;

        if (*text == '\0')
                return 0;
        found = *unit ? strchr(units, *unit) : NULL;
        if (!found || (unit[1] && strcasecmp(unit + 1, "iB") != 0 && strcasecmp(unit + 1, "B") != 0))
                return -1;
        return 10 * (int)((found - units) / 2 + 1);
}

int text_parse_size(const char *text, int64_t *bytes)
{
        size_t digits = strspn(text, "0123456789");
        const char *fraction = text + digits;
        int64_t value = 0;
        int64_t part = 0;
        int64_t scale = 1;
        int shift;

        if (digits == 0)
                return -1;
        for (size_t i = 0; i < digits; i++)
                if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, text[i] - '0', &value))
                        return -1;
        text += digits;
        if (*fraction == '.') {
                size_t places = strspn(++fraction, "0123456789");

                /* Six places of a terabyte still fit below. */
                if (places == 0 || places > 6)
                        return -1;
                for (size_t i = 0; i < places; i++) {
                        part = part * 10 + (fraction[i] - '0');
                        scale *= 10;
                }
                text = fraction + places;
        }
        shift = unit_shift(text);
        if (shift < 0 || (shift == 0 && scale > 1))
                return -1;
        if (__builtin_mul_overflow(value, INT64_C(1) << shift, &value))
                return -1;
        if (__builtin_add_overflow(value, (part << shift) / scale, &value))
                return -1;
        *bytes = value;
        return 0;
}

char *text_format_size(int64_t bytes)
{
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        double value = (double)bytes;
        size_t unit = 0;

        /* 1023.7 KiB would be shown as 1024 KiB: by then it is 1.0 MiB. */
        while (unit + 1 < ARRAY_SIZE(units) && (unit == 0 ? fabs(value) >= 1024 : fabs(value) >= 1023.5)) {
                value /= 1024;
                unit++;
        }
        if (unit > 0 && fabs(value) < 9.95)
                return xasprintf("%.1f %s", value, units[unit]);
        return xasprintf("%.0f %s", value, units[unit]);
}

int text_parse_duration(const char *text, int64_t *seconds)
{
        static const struct {
                char unit;
                int64_t seconds;
        } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
        size_t digits = strspn(text, "0123456789");
        _cleanup_(freep) char *number = xstrndup(text, digits);
        int64_t count;

        if (digits == 0 || text_parse_int(number, 0, INT64_MAX / 86400, &count) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(units); i++)
                if (text[digits] == units[i].unit && text[digits + 1] == '\0') {
                        *seconds = count * units[i].seconds;
                        return 0;
                }
        return -1;
}

char *text_format_duration(int64_t milliseconds)
{
        int64_t seconds = milliseconds / 1000 + (milliseconds % 1000 >= 500);
        int64_t minutes = (seconds + 30) / 60;

        if (milliseconds < 9950)
                return xasprintf("%.1f s", (double)milliseconds / 1000);
        if (seconds < 60)
                return xasprintf("%" PRId64 " s", seconds);
        if (seconds < 3600 && seconds % 60 == 0)
                return xasprintf("%" PRId64 " min", seconds / 60);
        if (seconds < 3600)
                return xasprintf("%" PRId64 " min %" PRId64 " s", seconds / 60, seconds % 60);
        if (minutes % 60 == 0)
                return xasprintf("%" PRId64 " h", minutes / 60);
        return xasprintf("%" PRId64 " h %" PRId64 " min", minutes / 60, minutes % 60);
}

char *text_format_roughly(int64_t milliseconds)
{
        int64_t seconds = milliseconds / 1000;
        int64_t tens = (seconds + 5) / 10 * 10;
        int64_t minutes = (seconds + 30) / 60;
        int64_t hours = (minutes + 30) / 60;

        if (seconds < 8)
                return xstrdup("a few seconds");
        if (seconds < 55)
                return xasprintf("%" PRId64 " seconds", tens);
        if (minutes < 100)
                return xasprintf("%" PRId64 " minute%s", minutes, minutes == 1 ? "" : "s");
        return xasprintf("%" PRId64 " hours", hours);
}

char *text_format_clock(int64_t milliseconds)
{
        int64_t seconds = milliseconds / 1000;

        if (seconds < 3600)
                return xasprintf("%" PRId64 ":%02" PRId64, seconds / 60, seconds % 60);
        return xasprintf("%" PRId64 ":%02" PRId64 ":%02" PRId64, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

int text_parse_int(const char *text, int64_t low, int64_t high, int64_t *value)
{
        const char *digits = *text == '-' ? text + 1 : text;
        long long number;

        /* strtoll() also takes white space and a plus sign. */
        if (*digits == '\0' || digits[strspn(digits, "0123456789")] != '\0')
                return -1;
        errno = 0;
        number = strtoll(text, NULL, 10);
        if (errno != 0 || number < low || number > high)
                return -1;
        *value = number;
        return 0;
}

const char *text_last(const char *text, size_t length, char c)
{
        while (length > 0)
                if (text[--length] == c)
                        return text + length;
        return NULL;
}

static bool is_letter_or_digit(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_name_valid(const char *name)
{
        size_t length = strlen(name);

        if (length == 0 || length > NAME_LIMIT)
                return false;
        for (size_t i = 0; i < length; i++)
                if (!is_letter_or_digit(name[i]) && name[i] != '-')
                        return false;
        return name[0] != '-' && name[length - 1] != '-';
}

char *text_name_from(const char *folder)
{
        _cleanup_(strbuf_clear) struct strbuf name = STRBUF_INIT;

        for (; *folder && name.len < NAME_LIMIT; folder++) {
                char c = *folder >= 'A' && *folder <= 'Z' ? (char)(*folder - 'A' + 'a') : *folder;

                if (is_letter_or_digit(c) || (c == '-' && name.len > 0))
                        strbuf_addc(&name, c);
                else if (name.len > 0 && name.buf[name.len - 1] != '-')
                        strbuf_addc(&name, '-');
        }
        while (name.len > 0 && name.buf[name.len - 1] == '-')
                strbuf_truncate(&name, name.len - 1);
        return name.len > 0 ? strbuf_take(&name) : NULL;
}

char *text_base64(const void *data, size_t length)
{
        size_t room = sodium_base64_encoded_len(length, sodium_base64_VARIANT_ORIGINAL);

        return sodium_bin2base64(xmalloc(room), room, data, length, sodium_base64_VARIANT_ORIGINAL);
}

char *text_format_time(time_t when)
{
        char text[sizeof("2026-01-02T03:04:05Z")];
        struct tm utc;

        if (!gmtime_r(&when, &utc) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
                return xstrdup("1970-01-01T00:00:00Z");
        return xstrdup(text);
}

char *text_local_time_of(time_t when)
{
        char text[sizeof("2026-01-02 03:04:05")];
        struct tm local;

        if (!localtime_r(&when, &local) || strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0)
                return text_format_time(when);
        return xstrdup(text);
}

int64_t text_parse_time(const char *text)
{
        struct tm utc = { 0 };
        const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);

        if (rest && *rest == '.')
                rest += 1 + strspn(rest + 1, "0123456789");
        return rest && streq(rest, "Z") ? (int64_t)timegm(&utc) : -1;
}

char *text_local_time(const char *rfc3339)
{
        int64_t when = text_parse_time(rfc3339);

        return when >= 0 ? text_local_time_of((time_t)when) : xstrdup(rfc3339);
}
