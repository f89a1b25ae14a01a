#include "lib/event.h"

#include "lib/interrupt.h"

static void send_event(struct event_sink *sink, enum event_type type, const char *id, const char *format, va_list args)
        _printf_(4, 0);

static void send_event(struct event_sink *sink, enum event_type type, const char *id, const char *format, va_list args)
{
        _cleanup_(freep) char *text = NULL;

        if (!sink || interrupt_pending())
                return;
        text = xvasprintf(format, args);
        sink->handle(sink, &(struct event){ .type = type, .id = id, .text = text });
}

void event_begin(struct event_sink *sink, const char *id, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, EVENT_BEGIN, id, format, args);
        va_end(args);
}

void event_begin_expecting(struct event_sink *sink, const char *id, int64_t expected_ms, const char *format, ...)
{
        _cleanup_(freep) char *text = NULL;
        va_list args;

        if (!sink || interrupt_pending())
                return;
        va_start(args, format);
        text = xvasprintf(format, args);
        va_end(args);
        sink->handle(sink, &(struct event){ .type = EVENT_BEGIN, .id = id, .text = text, .expected_ms = expected_ms });
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
        send_event(sink, EVENT_NOTE, NULL, format, args);
        va_end(args);
}

void event_warning(struct event_sink *sink, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        send_event(sink, EVENT_WARNING, NULL, format, args);
        va_end(args);
}

void event_end(struct event_sink *sink, const char *id, enum event_outcome outcome, const char *reason)
{
        if (outcome == EVENT_FAILED && interrupt_pending())
                outcome = EVENT_STOPPED;
        if (sink)
                sink->handle(sink, &(struct event){ .type = EVENT_END, .outcome = outcome, .id = id, .text = reason });
}
