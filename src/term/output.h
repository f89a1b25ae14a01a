/*
 * Shows events and errors. Progress and everything that isn't a result goes to stderr, results go to stdout.
 *
 * A terminal gets a live tree: one line a step, with the elapsed time and the running step's last line. A thread redraws it, so
 * that a silent step never looks frozen. Anything else gets plain lines, and --json prints JSON Lines on stdout. NO_COLOR,
 * TERM=dumb, the locale and the width are respected.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"

enum output_mode {
        OUTPUT_AUTO,    /* the tree on a terminal, else plain lines */
        OUTPUT_PLAIN,   /* a line for the beginning and the end of each step */
        OUTPUT_VERBOSE, /* and one for each line that a step reports */
        OUTPUT_JSON,
};

struct output; /* an event_sink with its state */

struct output *output_new(enum output_mode mode, bool quiet);
struct event_sink *output_sink(struct output *output);
/* Leaves the terminal to others (a question, a result, ssh): steps that still run are shown as failed. More events may follow.
 */
void output_settle(struct output *output);
/* Prints a line of its own, such as an answer to Ctrl-C. May be called by any thread while the output lives. --quiet leaves it
 * out; JSON has it as a note. */
void output_say(struct output *output, const char *text);
/* output_settle(), and frees it. */
void output_free(struct output *output);
void output_freep(struct output **output);

/* Prints an error with its causes, further errors, places and hints, or as {"event": "error", …} on stdout in JSON mode. */
void output_error(enum output_mode mode, const struct error *error);
