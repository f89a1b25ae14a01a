#include "net/account.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "lib/strbuf.h"

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
        if (lseek(fd, 0, SEEK_SET) < 0 || ftruncate(fd, 0) < 0 || write(fd, text.buf, text.len) != (ssize_t)text.len)
                return;
        account->changed = false;
}
