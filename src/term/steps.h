/*
 * The steps of one piece of work, as events tell of them: in the order they began, each with its depth. Begin and end nest;
 * when the outermost has ended, whoever shows them does so for good and clears the list.
 */
#pragma once

#include "lib/event.h"

#define STEP_LINES 10 /* kept of a running step, for when it fails */

struct step {
        char *id;
        char *text;
        char *reason; /* of a skipped or failed one; NULL = none given */
        size_t depth;
        bool running;
        enum event_outcome outcome;
        int64_t started, ended;  /* as now_ms() */
        char *lines[STEP_LINES]; /* a ring of the last ones */
        size_t line_count;       /* ever */
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
/* A line of the innermost running step; outside of any it is dropped. */
void steps_line(struct steps *steps, const char *line);
/* Ends the innermost running step `id`, and those inside it. NULL when there is none such. */
const struct step *steps_end(struct steps *steps, const char *id, enum event_outcome outcome, const char *reason);
/* Ends all that still run, as failed. */
void steps_abandon(struct steps *steps);

/* The innermost running step, or NULL. */
struct step *steps_current(const struct steps *steps);
/* The kept lines, oldest first: `n` from 0; NULL behind the last. */
const char *step_kept_line(const struct step *step, size_t n);
