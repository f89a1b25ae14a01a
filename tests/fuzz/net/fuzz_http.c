/*
 * Any bytes as requests of HTTP. The result is the same in one piece and byte by byte, and no head passes without exactly one
 * Host.
 */
#include "../fuzz.h"

#include <strings.h>

#include "lib/util.h"
#include "net/http.h"

struct seen {
        size_t heads;
        uint32_t hash; /* of their hosts */
        bool bad;
        size_t used;
};

static void count_head(struct seen *seen, const char *host)
{
        CHECK(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(host));
        seen->heads++;
        for (; *host; host++)
                seen->hash = (seen->hash ^ (unsigned char)*host) * 16777619u;
        seen->hash = (seen->hash ^ '\n') * 16777619u;
}

/* Reads on, from where it stopped, up to `length`. */
static void read_on(struct http *http, struct seen *seen, const uint8_t *data, size_t length)
{
        while (!seen->bad && seen->used < length) {
                char host[EGRESS_NAME_MOST + 1] = "";
                bool head;
                int64_t used = http_read(http, data + seen->used, length - seen->used, host, &head);

                if (used == 0)
                        return;
                seen->bad = used < 0;
                if (seen->bad)
                        return;
                CHECK((size_t)used <= length - seen->used);
                if (head)
                        count_head(seen, host);
                seen->used += (size_t)used;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct http one = { 0 }, other = { 0 };
        struct seen whole = { 0 }, pieces = { 0 };

        if (size > 4096)
                return 0;
        read_on(&one, &whole, data, size);
        for (size_t length = 1; length <= size; length++)
                read_on(&other, &pieces, data, length);
        CHECK(whole.heads == pieces.heads && whole.hash == pieces.hash && whole.bad == pieces.bad);
        CHECK(whole.bad || whole.used == pieces.used);
        return 0;
}
