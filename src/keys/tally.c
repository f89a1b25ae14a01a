#include "keys/tally.h"

void tally_clear(struct tally *tally)
{
        for (size_t i = 0; i < tally->count; i++)
                free(tally->items[i].text);
        *tally = (struct tally){ 0 };
}

enum tally_verdict tally_add(struct tally *tally, const char *text)
{
        for (size_t i = 0; i < tally->count; i++)
                if (streq(tally->items[i].text, text)) {
                        tally->items[i].again++;
                        return TALLY_AGAIN;
                }
        if (tally->count == TALLY_MOST)
                return TALLY_NO_ROOM;
        tally->items[tally->count].text = xstrdup(text);
        tally->items[tally->count++].again = 0;
        return TALLY_FIRST;
}

void tally_settle(struct tally *tally, tally_fn function, void *data)
{
        for (size_t i = 0; i < tally->count; i++)
                if (tally->items[i].again > 0)
                        function(tally->items[i].text, tally->items[i].again, data);
        tally_clear(tally);
}
