#include "lib/event.h"

#include "lib/interrupt.h"

const char *event_type_name(enum event_type type)
{
        static const char *const names[] = {
                [EVENT_BEGIN] = "begin", [EVENT_LINE] = "line",       [EVENT_PROGRESS] = "progress",
                [EVENT_NOTE] = "note",   [EVENT_WARNING] = "warning", [EVENT_END] = "end",
        };

        return names[type];
}

const char *event_outcome_name(enum event_outcome outcome)
{
        static const char *const names[] = {
                [EVENT_DONE] = "done",
                [EVENT_SKIPPED] = "skipped",
                [EVENT_FAILED] = "failed",
                [EVENT_STOPPED] = "stopped",
        };

        return names[outcome];
}

static void send_event(struct event_sink *sink, struct event event, const char *format, va_list args) _printf_(3, 0);

static void send_event(struct event_sink *sink, struct event event, const char *format, va_list args)
{
        _cleanup_(freep) char *text = NULL;

        if (!sink || interrupt_pending())
                return;
        text = xvasprintf(format, args);
        event.text = text;
        sink->handle(sink, &event);
}

void event_begin(struct event_sink *sink, const char *id, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, (struct event){ .type = EVENT_BEGIN, .id = id }, format, args);
        va_end(args);
}

void event_begin_expecting(struct event_sink *sink, const char *id, int64_t expected_ms, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, (struct event){ .type = EVENT_BEGIN, .id = id, .expected_ms = expected_ms }, format, args);
        va_end(args);
}

void event_progress(struct event_sink *sink, int64_t done, int64_t whole)
{
        if (sink && !interrupt_pending())
                sink->handle(sink, &(struct event){ .type = EVENT_PROGRESS, .done = done, .whole = whole });
}

void event_line(struct event_sink *sink, const char *line)
{
        if (sink && !interrupt_pending())
                sink->handle(sink, &(struct event){ .type = EVENT_LINE, .text = line });
}

void event_note(struct event_sink *sink, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, (struct event){ .type = EVENT_NOTE }, format, args);
        va_end(args);
}

void event_warning(struct event_sink *sink, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, (struct event){ .type = EVENT_WARNING }, format, args);
        va_end(args);
}

void event_end(struct event_sink *sink, const char *id, enum event_outcome outcome, const char *reason)
{
        if (outcome == EVENT_FAILED && interrupt_pending())
                outcome = EVENT_STOPPED;
        if (sink)
                sink->handle(sink, &(struct event){ .type = EVENT_END, .outcome = outcome, .id = id, .text = reason });
}
