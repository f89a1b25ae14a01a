#include "net/names.h"

/* Added to each answer: the guest may use it for a moment longer than it should, and asks no more often than that. */
#define GRACE_MS (10 * 1000)
#define DAY_S    (24 * 60 * 60)

void names_learn(struct names *names, const char *name, struct in_addr address, uint32_t seconds, int64_t now)
{
        struct names_entry *place = names->items;
        int64_t until = now + GRACE_MS + (int64_t)(seconds < DAY_S ? seconds : DAY_S) * 1000;

        for (size_t i = 0; i < NAMES_MOST; i++) {
                struct names_entry *entry = &names->items[i];

                if (entry->until > 0 && entry->address.s_addr == address.s_addr && streq(entry->name, name)) {
                        entry->until = until > entry->until ? until : entry->until;
                        return;
                }
                if (entry->until < place->until)
                        place = entry;
        }
        place->address = address;
        place->until = until;
        egress_name_set(place->name, name);
}

void names_stood_still(struct names *names, int64_t ms)
{
        for (size_t i = 0; i < NAMES_MOST; i++)
                if (names->items[i].until > 0)
                        names->items[i].until += ms;
}

const struct names_entry *names_find(const struct names *names, struct in_addr address, int64_t now,
                                     const struct names_entry *after)
{
        for (size_t i = after ? (size_t)(after - names->items) + 1 : 0; i < NAMES_MOST; i++)
                if (names->items[i].until > now && names->items[i].address.s_addr == address.s_addr)
                        return &names->items[i];
        return NULL;
}
