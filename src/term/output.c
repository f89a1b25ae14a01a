#include "term/output.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/text.h"
#include "term/json_line.h"
#include "term/tree.h"

#define TICK_MS 125

struct output {
        struct event_sink sink; /* must be first: a sink is cast back to its output */
        void (*show)(struct output *output, const struct event *event);
        bool quiet, verbose;
        struct terminal terminal;
        struct steps steps;

        /* The live tree. The thread ticks while steps run; `mutex` guards `steps` and `tree` against it. */
        struct tree tree;
        pthread_mutex_t mutex;
        pthread_t ticker;
        bool ticking;
        int tick_stop[2]; /* closing the writing end ends the thread */
};

/* Appends "note: …" or "warning: …", with an end of line. */
static void add_remark(const struct terminal *terminal, const struct event *event, struct strbuf *out)
{
        bool warning = event->type == EVENT_WARNING;

        terminal_style(terminal, out, warning ? STYLE_YELLOW : STYLE_DIM, warning ? "warning:" : "note:");
        strbuf_addc(out, ' ');
        text_visible(out, event->text, strlen(event->text));
        strbuf_addc(out, '\n');
}

static void begin_step(struct output *output, const struct event *event)
{
        steps_begin(&output->steps, event->id, event->text);
        steps_expect(&output->steps, event->expected_ms);
}

/* --- live: a tree */

static void *tick(void *data)
{
        struct output *output = data;
        struct pollfd stop = { .fd = output->tick_stop[0], .events = POLLIN };

        while (poll(&stop, 1, TICK_MS) == 0) {
                pthread_mutex_lock(&output->mutex);
                if (steps_current(&output->steps))
                        tree_draw(&output->tree, &output->steps);
                pthread_mutex_unlock(&output->mutex);
        }
        return NULL;
}

/* Starts the thread with all signals blocked: they are for the main thread. If it can't start, the tree is redrawn by events
 * only. */
static void start_ticking(struct output *output)
{
        sigset_t all, before;

        if (output->ticking || os_pipe(output->tick_stop) < 0)
                return;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        output->ticking = pthread_create(&output->ticker, NULL, tick, output) == 0;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!output->ticking) {
                closep(&output->tick_stop[0]);
                closep(&output->tick_stop[1]);
        }
}

static void stop_ticking(struct output *output)
{
        if (!output->ticking)
                return;
        closep(&output->tick_stop[1]);
        pthread_join(output->ticker, NULL);
        closep(&output->tick_stop[0]);
        output->ticking = false;
}

static void show_live_locked(struct output *output, const struct event *event)
{
        _cleanup_(strbuf_clear) struct strbuf remark = STRBUF_INIT;

        switch (event->type) {
        case EVENT_BEGIN:
                begin_step(output, event);
                tree_draw(&output->tree, &output->steps);
                break;
        case EVENT_LINE:
                /* Shown by the next tick: a step may print more in a second than anybody can read. */
                steps_line(&output->steps, event->text);
                break;
        case EVENT_PROGRESS:
                steps_progress(&output->steps, event->done, event->whole);
                break;
        case EVENT_NOTE:
        case EVENT_WARNING:
                add_remark(&output->terminal, event, &remark);
                tree_print_above(&output->tree, &output->steps, remark.buf);
                break;
        case EVENT_END:
                if (!steps_end(&output->steps, event->id, event->outcome, event->text))
                        break;
                if (steps_current(&output->steps)) {
                        tree_draw(&output->tree, &output->steps);
                } else {
                        tree_finish(&output->tree, &output->steps);
                        steps_clear(&output->steps);
                }
                break;
        }
}

static void show_live(struct output *output, const struct event *event)
{
        bool running;

        pthread_mutex_lock(&output->mutex);
        show_live_locked(output, event);
        running = steps_current(&output->steps) != NULL;
        pthread_mutex_unlock(&output->mutex);
        if (running)
                start_ticking(output);
        else
                stop_ticking(output);
}

/* --- plain: lines for a log */

/* Appends the line that the running step has just reported. */
static void add_verbose_line(const struct steps *steps, struct strbuf *out)
{
        const struct step *step = steps_current(steps);

        if (step)
                strbuf_addf(out, "[%s] | %s\n", step->id, step->lines[(step->line_count - 1) % STEP_LINES]);
}

static void add_plain_begin(const struct step *step, struct strbuf *out)
{
        _cleanup_(freep) char *expected = step->expected_ms > 0 ? text_format_roughly(step->expected_ms) : NULL;

        strbuf_addf(out, "[%s] %s", step->id, step->text);
        if (expected)
                strbuf_addf(out, " (last time: %s)", expected);
        strbuf_addc(out, '\n');
}

/* With `lines`, those that were kept come first. */
static void add_plain_end(const struct step *step, bool lines, struct strbuf *out)
{
        _cleanup_(freep) char *duration = text_format_duration(step->ended - step->started);
        const char *line;

        /* A log gets only the last lines of a failed step; all of them would bury the rest. */
        for (size_t n = 0; lines && (line = step_kept_line(step, n)); n++)
                strbuf_addf(out, "[%s] | %s\n", step->id, line);
        strbuf_addf(out, "[%s] %s", step->id, event_outcome_name(step->outcome));
        if (step->outcome == EVENT_DONE)
                strbuf_addf(out, " in %s", duration);
        else if (step->outcome == EVENT_FAILED || step->outcome == EVENT_STOPPED)
                strbuf_addf(out, " after %s", duration);
        if (step->reason && step->outcome != EVENT_STOPPED)
                strbuf_addf(out, ": %s", step->reason);
        strbuf_addc(out, '\n');
}

static void show_plain(struct output *output, const struct event *event)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        const struct step *step;

        switch (event->type) {
        case EVENT_BEGIN:
                begin_step(output, event);
                step = steps_current(&output->steps);
                add_plain_begin(step, &out);
                break;
        case EVENT_PROGRESS:
                break;
        case EVENT_LINE:
                steps_line(&output->steps, event->text);
                if (output->verbose)
                        add_verbose_line(&output->steps, &out);
                break;
        case EVENT_NOTE:
        case EVENT_WARNING:
                add_remark(&output->terminal, event, &out);
                break;
        case EVENT_END:
                step = steps_end(&output->steps, event->id, event->outcome, event->text);
                if (step)
                        add_plain_end(step, !output->verbose, &out);
                if (!steps_current(&output->steps))
                        steps_clear(&output->steps);
                break;
        }
        terminal_write(&output->terminal, &out);
}

/* --- JSON Lines */

static void show_json(struct output *output, const struct event *event)
{
        _cleanup_(json_decrefp) json_t *value = NULL;
        const struct step *step;

        if (event->type == EVENT_PROGRESS)
                return;
        value = json_object();
        json_object_set_new(value, "event", json_string(event_type_name(event->type)));
        if (event->type == EVENT_BEGIN || event->type == EVENT_END)
                json_object_set_new(value, "id", json_line_text(event->id));
        if (event->type != EVENT_END)
                json_object_set_new(value, "text", json_line_text(event->text));
        if (event->type == EVENT_BEGIN && event->expected_ms > 0)
                json_object_set_new(value, "expected_seconds", json_real((double)event->expected_ms / 1000));
        if (event->type == EVENT_BEGIN)
                begin_step(output, event);
        if (event->type == EVENT_END) {
                step = steps_end(&output->steps, event->id, event->outcome, NULL);
                /* It began after Ctrl-C, so it was not reported. */
                if (!step && event->outcome == EVENT_STOPPED)
                        return;
                json_object_set_new(value, "outcome", json_string(event_outcome_name(event->outcome)));
                json_object_set_new(value, "reason", json_line_text(event->text));
                json_object_set_new(value, "seconds",
                                    step ? json_real((double)(step->ended - step->started) / 1000) : json_null());
                if (!steps_current(&output->steps))
                        steps_clear(&output->steps);
        }
        json_line_print(value);
}

/* --- all of them */

static void handle(struct event_sink *sink, const struct event *event)
{
        struct output *output = (struct output *)sink;

        if (!output->quiet || event->type == EVENT_WARNING)
                output->show(output, event);
}

struct output *output_new(enum output_mode mode, bool quiet)
{
        struct output *output = xcalloc(1, sizeof(*output));

        output->sink.handle = handle;
        output->quiet = quiet;
        output->verbose = mode == OUTPUT_VERBOSE;
        output->terminal = terminal_of(STDERR_FILENO);
        if (mode != OUTPUT_AUTO)
                output->terminal.color = false;
        output->tree.terminal = output->terminal;
        output->tick_stop[0] = output->tick_stop[1] = -1;
        pthread_mutex_init(&output->mutex, NULL);
        if (mode == OUTPUT_JSON)
                output->show = show_json;
        else if (mode == OUTPUT_PLAIN || mode == OUTPUT_VERBOSE || quiet || !output->terminal.live)
                output->show = show_plain;
        else
                output->show = show_live;
        return output;
}

struct event_sink *output_sink(struct output *output)
{
        return output ? &output->sink : NULL;
}

void output_settle(struct output *output)
{
        if (!output)
                return;
        stop_ticking(output);
        pthread_mutex_lock(&output->mutex);
        if (steps_current(&output->steps)) {
                steps_abandon(&output->steps);
                if (output->show == show_live)
                        tree_finish(&output->tree, &output->steps);
                steps_clear(&output->steps);
        }
        pthread_mutex_unlock(&output->mutex);
}

/* Where no tree is drawn, the terminal's echo of Ctrl-C, or a question, may stand before it. */
static void say_live(struct output *output, const char *text)
{
        bool running;
        _cleanup_(freep) char *line = NULL;

        pthread_mutex_lock(&output->mutex);
        running = steps_current(&output->steps) != NULL;
        line = xasprintf("%s%s\n", running ? "" : "\n", text);
        tree_print_above(&output->tree, &output->steps, line);
        pthread_mutex_unlock(&output->mutex);
}

void output_say(struct output *output, const char *text)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        if (output->quiet)
                return;
        if (output->show == show_live) {
                say_live(output, text);
        } else if (output->show == show_json) {
                show_json(output, &(struct event){ .type = EVENT_NOTE, .text = text });
        } else {
                strbuf_addf(&line, "%s\n", text);
                terminal_write(&output->terminal, &line);
        }
}

void output_free(struct output *output)
{
        if (!output)
                return;
        output_settle(output);
        steps_clear(&output->steps);
        tree_clear(&output->tree);
        pthread_mutex_destroy(&output->mutex);
        free(output);
}

void output_freep(struct output **output)
{
        output_free(*output);
}
