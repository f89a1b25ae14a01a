#include "net/account.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "lib/strv.h"
#include "lib/text.h"

#define FILE_MOST (1 << 20)

static bool is_same(const struct account_entry *a, const struct account_entry *b)
{
        return a->used && a->protocol == b->protocol && a->port == b->port && a->address.s_addr == b->address.s_addr &&
               streq_ptr(a->reason, b->reason) && streq(a->name, b->name);
}

/* Returns true when `a` makes room before `b`: first unused entries, then refusals, then what was longest ago. */
static bool goes_before(const struct account_entry *a, const struct account_entry *b)
{
        if (a->used != b->used)
                return !a->used;
        if ((a->reason == NULL) != (b->reason == NULL))
                return a->reason != NULL;
        return a->last < b->last;
}

size_t account_add(struct account *account, const struct account_entry *what, int64_t now_s)
{
        size_t place = 0;

        account->changed = true;
        for (size_t i = 0; i < ACCOUNT_MOST; i++) {
                struct account_entry *entry = &account->items[i];

                if (is_same(entry, what)) {
                        entry->count++;
                        entry->last = now_s;
                        return i;
                }
                if (goes_before(entry, &account->items[place]))
                        place = i;
        }
        account->items[place] = *what;
        account->items[place].used = true;
        account->items[place].count = 1;
        account->items[place].first = account->items[place].last = now_s;
        return place;
}

void account_bytes(struct account *account, size_t place, uint64_t sent, uint64_t received, int64_t now_s)
{
        struct account_entry *entry = &account->items[place];

        entry->sent += sent;
        entry->received += received;
        entry->last = now_s;
        account->changed = true;
}

static const char *protocol_name(uint8_t protocol)
{
        switch (protocol) {
        case 0:
                return "dns";
        case IPPROTO_TCP:
                return "tcp";
        case IPPROTO_UDP:
                return "udp";
        case IPPROTO_ICMP:
                return "icmp";
        default:
                return "ip";
        }
}

static void add_line(struct strbuf *out, const struct account_entry *entry)
{
        char address[INET_ADDRSTRLEN] = "-";

        if (entry->address.s_addr != 0)
                inet_ntop(AF_INET, &entry->address, address, sizeof(address));
        strbuf_addf(out, "%s %s %s %s %u %ju", entry->reason ? "refused" : "reached", protocol_name(entry->protocol),
                    *entry->name ? entry->name : "-", address, entry->port, (uintmax_t)entry->count);
        if (entry->reason)
                strbuf_addf(out, " %s", entry->reason);
        else
                strbuf_addf(out, " %ju %ju", (uintmax_t)entry->sent, (uintmax_t)entry->received);
        strbuf_addf(out, " %jd %jd\n", (intmax_t)entry->first, (intmax_t)entry->last);
}

void account_write(struct account *account, int fd)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (fd < 0 || !account->changed)
                return;
        for (size_t i = 0; i < ACCOUNT_MOST; i++)
                if (account->items[i].used)
                        add_line(&text, &account->items[i]);
        strbuf_addf(&text, "end %jd\n", (intmax_t)account->rules);
        /* In this order, a process that is killed in between leaves what it has written before: readers stop at "end". */
        if (lseek(fd, 0, SEEK_SET) < 0 || write(fd, text.buf, text.len) != (ssize_t)text.len ||
            ftruncate(fd, (off_t)text.len) < 0)
                return;
        account->changed = false;
}

/* The protocol of that name; -1 when there is none. */
static int find_protocol(const char *name)
{
        static const uint8_t known[] = { 0, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_RAW };

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(name, protocol_name(known[i])))
                        return known[i];
        return -1;
}

static bool read_numbers(const struct strv *words, size_t from, int64_t *numbers, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (text_parse_int(words->items[from + i], 0, INT64_MAX, &numbers[i]) < 0)
                        return false;
        return true;
}

/* "reached tcp NAME ADDRESS PORT COUNT SENT RECEIVED FIRST LAST", "refused tcp NAME ADDRESS PORT COUNT REASON FIRST LAST" */
static bool read_line(const struct strv *words, struct account_entry *entry)
{
        bool reached = words->count == 10 && streq(words->items[0], "reached");
        int64_t numbers[2], bytes[2] = { 0 }, times[2];
        int protocol;

        if (!reached && (words->count != 9 || !streq(words->items[0], "refused")))
                return false;
        protocol = find_protocol(words->items[1]);
        if (protocol < 0 || strlen(words->items[2]) > EGRESS_NAME_MOST || !read_numbers(words, 4, numbers, 2) ||
            !read_numbers(words, words->count - 2, times, 2) || (reached && !read_numbers(words, 6, bytes, 2)) ||
            numbers[0] > UINT16_MAX)
                return false;
        *entry = (struct account_entry){
                .used = true,
                .protocol = (uint8_t)protocol,
                .port = (uint16_t)numbers[0],
                .count = (uint64_t)numbers[1],
                .sent = (uint64_t)bytes[0],
                .received = (uint64_t)bytes[1],
                .first = times[0],
                .last = times[1],
        };
        if (!streq(words->items[2], "-"))
                memcpy(entry->name, words->items[2], strlen(words->items[2]));
        if (!streq(words->items[3], "-") && inet_pton(AF_INET, words->items[3], &entry->address) != 1)
                return false;
        entry->reason = reached ? NULL : xstrdup(words->items[6]);
        return true;
}

static void split(const char *line, size_t length, struct strv *words)
{
        while (length > 0) {
                size_t word = 0;

                while (word < length && line[word] != ' ')
                        word++;
                strv_take(words, xstrndup(line, word));
                word += word < length;
                line += word;
                length -= word;
        }
}

static bool read_all(int fd, struct strbuf *text)
{
        char block[16384];
        off_t offset = 0;
        ssize_t count;

        while (text->len < FILE_MOST && (count = pread(fd, block, sizeof(block), offset)) > 0) {
                strbuf_add(text, block, (size_t)count);
                offset += count;
        }
        return text->len > 0;
}

void account_read(struct account *account, int fd)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        size_t place = 0;

        if (fd < 0 || !read_all(fd, &text))
                return;
        /* What a killed process has left half written is written again. */
        account->changed = true;
        for (const char *line = text.buf; *line && !starts_with(line, "end ") && place < ACCOUNT_MOST;
             line += strcspn(line, "\n"), line += *line == '\n') {
                _cleanup_(strv_clear) struct strv words = STRV_INIT;

                split(line, strcspn(line, "\n"), &words);
                if (read_line(&words, &account->items[place]))
                        place++;
                else
                        account->items[place] = (struct account_entry){ 0 };
        }
}
