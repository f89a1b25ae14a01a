/*
 * Progress, for whoever shows it. Everything below the commands reports through a sink; src/term has the sinks (a live tree,
 * plain lines, JSON Lines). Events nest: a step begun inside another is its child.
 *
 *         event_begin(events, "base", "building the base image");
 *         event_line(events, "Unpacking git …");      // last line of the running step
 *         event_end(events, "base", EVENT_DONE, NULL);
 *
 * A NULL sink swallows everything. Once the program was asked to end (interrupt.h), nothing new is reported: what fails from
 * then on fails because of that. Steps that had begun end as stopped.
 */
#pragma once

#include "lib/util.h"

enum event_type {
        EVENT_BEGIN,    /* a step starts: id, text */
        EVENT_LINE,     /* output of the running step: text */
        EVENT_PROGRESS, /* how far the running step is: done, whole. For a terminal only */
        EVENT_NOTE,     /* worth knowing, said once: text */
        EVENT_WARNING,  /* something the user should fix: text */
        EVENT_END,      /* a step ends: id, outcome, text (a reason, or NULL) */
};

enum event_outcome { EVENT_DONE, EVENT_SKIPPED, EVENT_FAILED, EVENT_STOPPED };

/* "begin", "line", …; "done", "skipped", …: as programs get them. */
const char *event_type_name(enum event_type type);
const char *event_outcome_name(enum event_outcome outcome);

struct event {
        enum event_type type;
        enum event_outcome outcome;
        const char *id; /* stable, lower case, for programs */
        const char *text;
        int64_t expected_ms; /* of a step that starts: how long it took the last time; 0 = not known */
        int64_t done, whole; /* bytes */
};

struct event_sink {
        void (*handle)(struct event_sink *sink, const struct event *event);
};

void event_begin(struct event_sink *sink, const char *id, const char *format, ...) _printf_(3, 4);
/* The same for a step that took `expected_ms` the last time; 0 = that isn't known. */
void event_begin_expecting(struct event_sink *sink, const char *id, int64_t expected_ms, const char *format, ...)
        _printf_(4, 5);
/* How many bytes of the running step's are done. `whole` is more than 0. */
void event_progress(struct event_sink *sink, int64_t done, int64_t whole);
void event_line(struct event_sink *sink, const char *line);
void event_note(struct event_sink *sink, const char *format, ...) _printf_(2, 3);
void event_warning(struct event_sink *sink, const char *format, ...) _printf_(2, 3);
/* `reason` may be NULL. */
void event_end(struct event_sink *sink, const char *id, enum event_outcome outcome, const char *reason);
