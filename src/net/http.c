#include "net/http.h"

#include <strings.h>

#define LINE_MOST 1024 /* bytes of the line with a chunk's size, or of a trailer's */

struct head {
        const char *host;
        size_t host_length;
        bool has_host, has_length, chunked;
        bool bodiless; /* only some readers expect a body in such a request */
        bool old;      /* HTTP/1.0 */
        uint64_t length;
};

/* Returns the length of the line at `data` without its CRLF; -1 = it isn't whole, -2 = it has a bare CR, LF or NUL. */
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

/* Is this the field's name, also as gateways spell it that turn '-' into '_'? */
static bool is_field(const char *line, size_t length, const char *name)
{
        size_t at = 0;

        while (at < length && name[at] && (line[at] == '_' ? '-' : line[at] | 0x20) == (name[at] | 0x20))
                at++;
        return at == length && name[at] == '\0';
}

/* Printable, without spaces. Bytes above ASCII are left to the server. */
static bool is_target(const char *target, size_t length)
{
        for (size_t i = 0; i < length; i++)
                if ((unsigned char)target[i] <= ' ' || target[i] == 0x7f)
                        return false;
        return length > 0 && *target == '/';
}

/* CONNECT asks for a tunnel, and a host in the target would count instead of Host: neither passes. */
static bool read_method(const char *method, size_t length, const char *target, size_t target_length, struct head *head)
{
        if (length == 0 || is_named(method, length, "CONNECT"))
                return false;
        head->bodiless =
                is_named(method, length, "GET") || is_named(method, length, "HEAD") || is_named(method, length, "TRACE");
        if (target_length == 1 && *target == '*')
                return is_named(method, length, "OPTIONS");
        return is_target(target, target_length);
}

/* "METHOD /path HTTP/1.1" */
static bool read_request_line(const char *line, size_t length, struct head *head)
{
        static const char version[] = " HTTP/1.";
        const size_t version_length = sizeof(version); /* with its last digit */
        size_t method = 0;
        const char *end;

        while (method < length && is_token(line[method]))
                method++;
        if (length < method + 1 + version_length || line[method] != ' ')
                return false;
        end = line + length - version_length;
        if (memcmp(end, version, version_length - 1) != 0 || (line[length - 1] != '0' && line[length - 1] != '1'))
                return false;
        head->old = line[length - 1] == '0';
        return read_method(line, method, line + method + 1, (size_t)(end - line) - method - 1, head);
}

/* Digits, and nothing else. */
static bool read_number(const char *text, size_t length, uint64_t *number)
{
        *number = 0;
        if (length == 0 || length > 18)
                return false;
        for (size_t i = 0; i < length; i++) {
                if (text[i] < '0' || text[i] > '9')
                        return false;
                *number = *number * 10 + (uint64_t)(text[i] - '0');
        }
        return true;
}

static bool read_value(const char *name, size_t name_length, const char *value, size_t length, struct head *head)
{
        if (is_field(name, name_length, "host")) {
                if (head->has_host)
                        return false;
                head->has_host = true;
                head->host = value;
                head->host_length = length;
        } else if (is_field(name, name_length, "content-length")) {
                if (head->has_length || !read_number(value, length, &head->length))
                        return false;
                head->has_length = true;
        } else if (is_field(name, name_length, "transfer-encoding")) {
                if (head->chunked || !is_named(value, length, "chunked"))
                        return false;
                head->chunked = true;
        } else if (is_field(name, name_length, "upgrade") || is_field(name, name_length, "expect")) {
                /* What follows is not HTTP, or is a body only if the server asks for it. */
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

/* Returns the length of the head with the empty line after it; 0 = it isn't whole, -1 = it may not pass. */
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
                if (at == 0 ? !read_request_line(line, (size_t)count, head)
                            : count > 0 && !read_field(line, (size_t)count, head))
                        return -1;
                at += (size_t)count + 2;
                if (count == 0)
                        return (int64_t)at;
        }
}

/* "name" or "name:port" */
static void take_host(const struct head *head, char *host)
{
        const char *colon = memchr(head->host, ':', head->host_length);
        size_t length = colon ? (size_t)(colon - head->host) : head->host_length;
        uint64_t port;

        *host = '\0';
        if (colon && !read_number(colon + 1, head->host_length - length - 1, &port))
                return;
        if (!egress_name(head->host, length, host))
                *host = '\0';
}

/* Do all readers see the request end at the same place? */
static bool is_plain(const struct head *head)
{
        if (!head->has_host || (head->chunked && (head->has_length || head->old)))
                return false;
        return !head->bodiless || (!head->chunked && head->length == 0);
}

static int64_t settle_head(struct http *http, const uint8_t *data, size_t length, char *host, bool *whole)
{
        struct head head = { 0 };
        int64_t used = read_head(data, length, &head);

        if (used <= 0)
                return used;
        if (!is_plain(&head))
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

/* Accepts a field after the body unless it could be taken for one of the head's fields that count. */
static bool read_trailer(const char *line, size_t length)
{
        struct head head = { 0 };

        return read_field(line, length, &head) && !head.has_host && !head.has_length && !head.chunked;
}

/* Reads a line before or after a chunk, or one of the trailer. */
static bool read_line(struct http *http, const char *line, size_t length)
{
        uint64_t size;

        if (http->state == HTTP_TRAILER) {
                if (length == 0)
                        http->state = HTTP_HEAD;
                return length == 0 || read_trailer(line, length);
        }
        if (http->state == HTTP_CHUNK_END) {
                http->state = HTTP_CHUNK_SIZE;
                return length == 0;
        }
        if (!read_size(line, length, &size))
                return false;
        *http = (struct http){ .state = size == 0 ? HTTP_TRAILER : HTTP_CHUNK, .left = size };
        return true;
}

static int64_t settle_line(struct http *http, const uint8_t *data, size_t length)
{
        int64_t count = find_line(data, length);

        if (count == -1)
                return length >= LINE_MOST || (http->state == HTTP_CHUNK_END && *data != '\r') ? -1 : 0;
        if (count < 0 || count > LINE_MOST || !read_line(http, (const char *)data, (size_t)count))
                return -1;
        return count + 2;
}

size_t http_body(const struct http *http, size_t length)
{
        if (http->state != HTTP_BODY && http->state != HTTP_CHUNK)
                return 0;
        return http->left < length ? (size_t)http->left : length;
}

static int64_t settle_body(struct http *http, size_t length)
{
        size_t count = http_body(http, length);

        http->left -= count;
        if (http->left == 0)
                http->state = http->state == HTTP_BODY ? HTTP_HEAD : HTTP_CHUNK_END;
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
        case HTTP_CHUNK_END:
        case HTTP_TRAILER:
                return settle_line(http, data, length);
        case HTTP_BODY:
        case HTTP_CHUNK:
                return settle_body(http, length);
        }
        return -1;
}
