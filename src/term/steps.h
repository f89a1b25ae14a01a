/*
 * The steps of one piece of work, as the events report them: in the order in which they began, each with its depth. Begin and
 * end nest. When the outermost step has ended, the caller shows the steps a last time and clears the list.
 */
#pragma once

#include "lib/event.h"

#define STEP_LINES 10 /* the last ones are kept, to be shown when the step fails */

struct step {
        char *id;
        char *text;
        char *reason; /* of a skipped or failed one; NULL = none given */
        size_t depth;
        bool running;
        enum event_outcome outcome;
        int64_t started, ended;  /* as now_ms() */
        int64_t expected_ms;     /* how long it took the last time; 0 = not known */
        int64_t done, whole;     /* bytes; whole = 0: its length is not known */
        char *lines[STEP_LINES]; /* a ring of the last ones */
        size_t line_count;       /* of all lines so far */
};

struct steps {
        struct step *items;
        size_t count;
        size_t room;
};

#define STEPS_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
void steps_clear(struct steps *steps);

void steps_begin(struct steps *steps, const char *id, const char *text);
/* Says how long the innermost running step took the last time. */
void steps_expect(struct steps *steps, int64_t expected_ms);
/* Adds a line to the innermost running step. Without a running step the line is dropped. */
void steps_line(struct steps *steps, const char *line);
/* Says how far the innermost running step is. */
void steps_progress(struct steps *steps, int64_t done, int64_t whole);
/* Ends the innermost running step `id`, and the steps inside it. Returns NULL when there is no such step. */
const struct step *steps_end(struct steps *steps, const char *id, enum event_outcome outcome, const char *reason);
/* Ends all that still run: as failed, or as stopped when the program was asked to end (interrupt.h). */
void steps_abandon(struct steps *steps);

/* The innermost running step, or NULL. */
struct step *steps_current(const struct steps *steps);
/* Returns the kept line `n`, counted from 0 for the oldest; NULL after the last. */
const char *step_kept_line(const struct step *step, size_t n);
