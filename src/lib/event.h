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
        EVENT_BEGIN,   /* a step starts: id, text */
        EVENT_LINE,    /* output of the running step: text */
        EVENT_NOTE,    /* worth knowing, said once: text */
        EVENT_WARNING, /* something the user should fix: text */
        EVENT_END,     /* a step ends: id, outcome, text (a reason, or NULL) */
};

enum event_outcome { EVENT_DONE, EVENT_SKIPPED, EVENT_FAILED, EVENT_STOPPED };

struct event {
        enum event_type type;
        enum event_outcome outcome;
        const char *id; /* stable, lower case, for programs */
        const char *text;
};

struct event_sink {
        void (*handle)(struct event_sink *sink, const struct event *event);
};

void event_begin(struct event_sink *sink, const char *id, const char *format, ...) _printf_(3, 4);
void event_line(struct event_sink *sink, const char *line);
void event_note(struct event_sink *sink, const char *format, ...) _printf_(2, 3);
void event_warning(struct event_sink *sink, const char *format, ...) _printf_(2, 3);
/* `reason` may be NULL. */
void event_end(struct event_sink *sink, const char *id, enum event_outcome outcome, const char *reason);
