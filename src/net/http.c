#include "http.h"

#include <strings.h>

#include "lib/text.h"

#define LINE_MOST 1024 /* of a chunk's size, a trailer */

struct head {
        const char *host;
        size_t host_length;
        bool has_host, has_length, chunked;
        uint64_t length;
};

/* The line at `data`, without its CRLF: its length, -1 = it isn't whole, -2 = a bare CR, LF or NUL is in it. */
static int64_t find_line(const uint8_t *data, size_t length)
{
        for (size_t i = 0; i < length; i++) {
                if (data[i] == '\0' || data[i] == '\n')
                        return -2;
                if (data[i] == '\r')
                        return i + 1 == length ? -1 : data[i + 1] == '\n' ? (int64_t)i : -2;
        }
        return -1;
}

static bool is_token(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_named(const char *line, size_t length, const char *name)
{
        return length == strlen(name) && strncasecmp(line, name, length) == 0;
}

/* "METHOD /path HTTP/1.1", but for CONNECT: a target with a host of its own, or one for a tunnel, would count in place of Host.
 */
static bool read_request_line(const char *line, size_t length)
{
        static const char version[] = " HTTP/1.";
        size_t method = 0;
        const char *target;
        size_t rest;

        while (method < length && is_token(line[method]))
                method++;
        if (method == 0 || method + 1 >= length || line[method] != ' ' || is_named(line, method, "CONNECT"))
                return false;
        target = line + method + 1;
        rest = length - method - 1;
        if (*target != '/' && *target != '*')
                return false;
        if (rest < sizeof(version) + 1)
                return false;
        rest -= sizeof(version);
        if (memchr(target, ' ', rest) || memchr(target, '\t', rest))
                return false;
        return memcmp(target + rest, version, sizeof(version) - 1) == 0 &&
               (target[rest + sizeof(version) - 1] == '0' || target[rest + sizeof(version) - 1] == '1');
}

static bool read_value(const char *name, size_t name_length, const char *value, size_t length, struct head *head)
{
        if (is_named(name, name_length, "host")) {
                if (head->has_host)
                        return false;
                head->has_host = true;
                head->host = value;
                head->host_length = length;
        } else if (is_named(name, name_length, "content-length")) {
                _cleanup_(freep) char *text = xstrndup(value, length);
                int64_t number;

                if (head->has_length || text_parse_int(text, 0, INT64_MAX, &number) < 0 || *text == '+' || *text == '-')
                        return false;
                head->has_length = true;
                head->length = (uint64_t)number;
        } else if (is_named(name, name_length, "transfer-encoding")) {
                if (head->chunked || !is_named(value, length, "chunked"))
                        return false;
                head->chunked = true;
        } else if (is_named(name, name_length, "upgrade")) {
                return false;
        }
        return true;
}

static bool read_field(const char *line, size_t length, struct head *head)
{
        size_t name = 0;
        size_t start;

        while (name < length && is_token(line[name]))
                name++;
        if (name == 0 || name == length || line[name] != ':')
                return false;
        start = name + 1;
        while (start < length && (line[start] == ' ' || line[start] == '\t'))
                start++;
        while (length > start && (line[length - 1] == ' ' || line[length - 1] == '\t'))
                length--;
        return read_value(line, name, line + start, length - start, head);
}

/* The length of the head with the empty line behind it, 0 = it isn't whole, -1. */
static int64_t read_head(const uint8_t *data, size_t length, struct head *head)
{
        size_t at = 0;

        for (;;) {
                const char *line = (const char *)data + at;
                int64_t count = find_line(data + at, length - at);

                if (count == -1)
                        return length >= HTTP_HEAD_MOST ? -1 : 0;
                if (count < 0 || at + (size_t)count + 2 > HTTP_HEAD_MOST)
                        return -1;
                if (at == 0 ? !read_request_line(line, (size_t)count) : count > 0 && !read_field(line, (size_t)count, head))
                        return -1;
                at += (size_t)count + 2;
                if (count == 0)
                        return (int64_t)at;
        }
}

static void take_host(const struct head *head, char *host)
{
        const char *colon = memchr(head->host, ':', head->host_length);
        size_t length = colon ? (size_t)(colon - head->host) : head->host_length;

        if (!egress_name(head->host, length, host))
                *host = '\0';
}

static int64_t settle_head(struct http *http, const uint8_t *data, size_t length, char *host, bool *whole)
{
        struct head head = { 0 };
        int64_t used = read_head(data, length, &head);

        if (used <= 0)
                return used;
        if (!head.has_host || (head.has_length && head.chunked))
                return -1;
        take_host(&head, host);
        *whole = true;
        if (head.chunked)
                http->state = HTTP_CHUNK_SIZE;
        else if (head.length > 0)
                *http = (struct http){ .state = HTTP_BODY, .left = head.length };
        return used;
}

/* "1a2b" or "1a2b;extension" */
static bool read_size(const char *line, size_t length, uint64_t *size)
{
        size_t digits = 0;

        *size = 0;
        for (; digits < length && strchr("0123456789abcdefABCDEF", line[digits]); digits++) {
                char c = line[digits];

                if (digits == 15)
                        return false;
                *size = *size << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        return digits > 0 && (digits == length || line[digits] == ';');
}

static int64_t settle_line(struct http *http, const uint8_t *data, size_t length)
{
        int64_t count = find_line(data, length);
        uint64_t size;

        if (count == -1)
                return length >= LINE_MOST ? -1 : 0;
        if (count < 0 || count > LINE_MOST)
                return -1;
        if (http->state == HTTP_TRAILER) {
                if (count == 0)
                        http->state = HTTP_HEAD;
        } else {
                if (!read_size((const char *)data, (size_t)count, &size))
                        return -1;
                *http = (struct http){ .state = size == 0 ? HTTP_TRAILER : HTTP_CHUNK, .left = size + 2 };
        }
        return count + 2;
}

static int64_t settle_bytes(struct http *http, size_t length)
{
        size_t count = http->left < length ? (size_t)http->left : length;

        http->left -= count;
        if (http->left == 0)
                http->state = http->state == HTTP_BODY ? HTTP_HEAD : HTTP_CHUNK_SIZE;
        return (int64_t)count;
}

int64_t http_read(struct http *http, const uint8_t *data, size_t length, char host[static EGRESS_NAME_MOST + 1], bool *head)
{
        *head = false;
        if (length == 0)
                return 0;
        switch (http->state) {
        case HTTP_HEAD:
                return settle_head(http, data, length, host, head);
        case HTTP_CHUNK_SIZE:
        case HTTP_TRAILER:
                return settle_line(http, data, length);
        case HTTP_BODY:
        case HTTP_CHUNK:
                return settle_bytes(http, length);
        }
        return -1;
}
