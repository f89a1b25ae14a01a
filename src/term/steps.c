#include "term/steps.h"

#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "lib/text.h"

/* The width of a tab isn't known. Takes the text over, and returns it. */
static char *tame(char *visible)
{
        char *tamed = visible;

        for (char *c = tamed; *c; c++)
                if (*c == '\t')
                        *c = ' ';
        return tamed;
}

static void forget_lines(struct step *step)
{
        for (size_t i = 0; i < STEP_LINES; i++)
                set_string(&step->lines[i], NULL);
        step->line_count = 0;
}

void steps_clear(struct steps *steps)
{
        for (size_t i = 0; i < steps->count; i++) {
                struct step *step = &steps->items[i];

                forget_lines(step);
                free(step->id);
                free(step->text);
                free(step->reason);
        }
        free(steps->items);
        *steps = (struct steps)STEPS_INIT;
}

void steps_begin(struct steps *steps, const char *id, const char *text)
{
        const struct step *outer = steps_current(steps);
        size_t depth = outer ? outer->depth + 1 : 0;

        if (steps->count == steps->room) {
                steps->room = steps->room ? 2 * steps->room : 8;
                steps->items = xreallocarray(steps->items, steps->room, sizeof(*steps->items));
        }
        steps->items[steps->count++] = (struct step){
                .id = xstrdup(id),
                .text = tame(text_visible_dup(text)),
                .depth = depth,
                .running = true,
                .started = now_ms(),
        };
}

void steps_line(struct steps *steps, const char *line)
{
        struct step *step = steps_current(steps);

        if (step)
                set_string(&step->lines[step->line_count++ % STEP_LINES], tame(text_said_dup(line)));
}

void steps_expect(struct steps *steps, int64_t expected_ms)
{
        struct step *step = steps_current(steps);

        if (step)
                step->expected_ms = expected_ms;
}

void steps_progress(struct steps *steps, int64_t done, int64_t whole)
{
        struct step *step = steps_current(steps);

        if (!step || whole <= 0)
                return;
        step->whole = whole;
        step->done = done < 0 ? 0 : done < whole ? done : whole;
}

static void end(struct step *step, enum event_outcome outcome, const char *reason)
{
        step->running = false;
        step->outcome = outcome;
        step->reason = reason ? tame(text_visible_dup(reason)) : outcome == EVENT_STOPPED ? xstrdup("stopped") : NULL;
        step->ended = now_ms();
        if (outcome != EVENT_FAILED)
                forget_lines(step);
}

const struct step *steps_end(struct steps *steps, const char *id, enum event_outcome outcome, const char *reason)
{
        size_t i = steps->count;

        while (i > 0 && !(steps->items[i - 1].running && streq(steps->items[i - 1].id, id)))
                i--;
        if (i == 0)
                return NULL;
        for (size_t inner = i; inner < steps->count; inner++)
                if (steps->items[inner].running)
                        end(&steps->items[inner], outcome, NULL);
        end(&steps->items[i - 1], outcome, reason);
        return &steps->items[i - 1];
}

void steps_abandon(struct steps *steps)
{
        for (size_t i = 0; i < steps->count; i++)
                if (steps->items[i].running)
                        end(&steps->items[i], interrupt_pending() ? EVENT_STOPPED : EVENT_FAILED, NULL);
}

struct step *steps_current(const struct steps *steps)
{
        for (size_t i = steps->count; i > 0; i--)
                if (steps->items[i - 1].running)
                        return &steps->items[i - 1];
        return NULL;
}

const char *step_kept_line(const struct step *step, size_t n)
{
        size_t first = step->line_count > STEP_LINES ? step->line_count - STEP_LINES : 0;

        return first + n < step->line_count ? step->lines[(first + n) % STEP_LINES] : NULL;
}
