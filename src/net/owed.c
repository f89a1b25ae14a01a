#include "net/owed.h"

#include "lib/strv.h"
#include "lib/text.h"
#include "lib/util.h"

enum { STATE, FD, SOURCE, SOURCE_PORT, DESTINATION, DESTINATION_PORT, TO_HOST, TO_GUEST, WORDS };

/* The guest has yet to acknowledge our SYN, or our FIN. */
static const char *const unfinished[] = { "TCP[SYN_SENT]", "TCP[FIN_WAIT_1]", "TCP[CLOSING]", "TCP[LAST_ACK]" };

static void split(const char *line, size_t length, struct strv *words)
{
        size_t at = 0;

        while (at < length) {
                size_t word = 0;

                at += strspn(line + at, " ");
                while (at + word < length && line[at + word] != ' ')
                        word++;
                if (word > 0)
                        strv_take(words, xstrndup(line + at, word));
                at += word;
        }
}

static bool line_owes(const struct strv *words, enum owed_weight (*weigh)(int fd, void *data), void *data)
{
        enum owed_weight weight;
        int64_t fd, to_guest;

        if (words->count != WORDS || !starts_with(words->items[STATE], "TCP[") ||
            text_parse_int(words->items[FD], 0, INT32_MAX, &fd) < 0 ||
            text_parse_int(words->items[TO_GUEST], 0, INT32_MAX, &to_guest) < 0)
                return false;
        weight = weigh((int)fd, data);
        if (weight == OWED_NOTHING || to_guest > 0)
                return weight != OWED_NOTHING;
        for (size_t i = 0; weight == OWED_ALL && i < ARRAY_SIZE(unfinished); i++)
                if (streq(words->items[STATE], unfinished[i]))
                        return true;
        return false;
}

bool owed_find(const char *info, enum owed_weight (*weigh)(int fd, void *data), void *data)
{
        bool found = false;

        for (const char *line = info; !found && *line; line += strcspn(line, "\n"), line += *line == '\n') {
                _cleanup_(strv_clear) struct strv words = STRV_INIT;

                split(line, strcspn(line, "\n"), &words);
                found = line_owes(&words, weigh, data);
        }
        return found;
}
