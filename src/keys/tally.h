/*
 * Counts what repeats, so that a flood of it becomes a few lines in the record. The first of a kind is a line at once. Repeats
 * are counted, and become one line with their number when the next minute begins. At most TALLY_MOST kinds are counted apart
 * in one minute; the others of that minute are counted together. Pure.
 */
#pragma once

#include <stdint.h>

#include "lib/util.h"

#define TALLY_MOST 64
#define TALLY_MS   (60 * 1000)

enum tally_verdict { TALLY_FIRST, TALLY_AGAIN, TALLY_NO_ROOM };

struct tally {
        struct {
                char *text;
                uint64_t again; /* since the first */
        } items[TALLY_MOST];
        size_t count;
        uint64_t others; /* those that had no room; counted by the caller */
};
void tally_clear(struct tally *tally);
/* Counts one. TALLY_FIRST: the caller writes it down. TALLY_NO_ROOM: nothing was counted. */
enum tally_verdict tally_add(struct tally *tally, const char *text);
/* Hands out each kind that was repeated, and forgets all. */
typedef void (*tally_fn)(const char *text, uint64_t again, void *data);
void tally_settle(struct tally *tally, tally_fn function, void *data);
