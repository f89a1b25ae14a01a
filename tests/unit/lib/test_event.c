/* What a sink is told. */
#include "check.h"

#include "lib/event.h"

/* A sink that records what it hears, one line for each event. */
struct recorder {
        struct event_sink sink;
        struct strbuf heard;
};

static void record(struct event_sink *sink, const struct event *event)
{
        struct recorder *recorder = (struct recorder *)sink;

        strbuf_addf(&recorder->heard, "%s %s %s (%s)\n", event_type_name(event->type), event->id ? event->id : "-",
                    event->type == EVENT_END ? event_outcome_name(event->outcome) : "-", event->text ? event->text : "nothing");
}

static void a_sink_hears_every_event_as_it_was_told(void **state)
{
        struct recorder recorder = { .sink = { record }, .heard = STRBUF_INIT };
        struct event_sink *events = &recorder.sink;

        event_begin(events, "base", "building %s", "the base");
        event_line(events, "100 % of %s");
        event_note(events, "%d layers", 3);
        event_warning(events, "no %s here", "KVM");
        event_end(events, "base", EVENT_DONE, NULL);
        event_end(events, "repo", EVENT_SKIPPED, "is there already");
        event_end(events, "step", EVENT_FAILED, "100 %s");
        assert_string_equal(recorder.heard.buf, "begin base - (building the base)\n"
                                                "line - - (100 % of %s)\n"
                                                "note - - (3 layers)\n"
                                                "warning - - (no KVM here)\n"
                                                "end base done (nothing)\n"
                                                "end repo skipped (is there already)\n"
                                                "end step failed (100 %s)\n");
        strbuf_clear(&recorder.heard);
}

static void no_sink_swallows_everything(void **state)
{
        event_begin(NULL, "base", "building %s", "the base");
        event_line(NULL, "a line");
        event_note(NULL, "a note");
        event_warning(NULL, "a warning");
        event_end(NULL, "base", EVENT_FAILED, "a reason");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_sink_hears_every_event_as_it_was_told),
                cmocka_unit_test(no_sink_swallows_everything),
        };

        return cmocka_run_group_tests_name("lib/event", tests, NULL, NULL);
}
