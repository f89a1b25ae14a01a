/*
 * Limits how often the person may be asked for one VM, by all of its sessions together. The count is kept in a file beside the
 * record, which is locked for as long as a question is open.
 *
 * There is at most one question at a time. A question that isn't answered with yes (a no, no answer, or withdrawn by its asker)
 * makes the next one wait: PATIENCE_FIRST_MS, and twice as long each time, up to PATIENCE_LONGEST_MS, until a yes. There are
 * at most PATIENCE_MOST questions in PATIENCE_SPAN_MS, however they are answered.
 */
#pragma once

#include "keys/channel.h"

#define PATIENCE_FIRST_MS   (10 * 1000)
#define PATIENCE_LONGEST_MS (10 * 60 * 1000)
#define PATIENCE_SPAN_MS    (10 * 60 * 1000)
#define PATIENCE_MOST       60

/* Gets the right to ask now. Returns ANSWER_YES and a descriptor that holds the lock, or the reason why not. */
enum answer patience_begin(const char *path, int *held);
/* Called when the question was asked and answered. Closes the descriptor. */
void patience_end(int held, bool yes);

/* For tests: what is in the file. Times by now_ms(). */
struct patience {
        int64_t span_began, asked, unanswered, held_off_until;
};
/* Pure. Times that are further in the future than they can be are from another boot: then it starts anew. */
enum answer patience_judge(struct patience *patience, int64_t now);
void patience_note(struct patience *patience, bool yes, int64_t now);
