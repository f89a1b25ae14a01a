#include "qemu/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "host/paths.h"
#include "lib/file.h"
#include "qemu/agent.h"
#include "qemu/runtime.h"

#define SCRIPT_LIMIT (64 << 10)
/* An agent that lives answers in a few milliseconds. One that was silent the last time gets less. */
#define ANSWER_MS 1000
#define SILENT_MS 100
/* One that was just woken runs code that this QEMU has not seen yet: emulated, that takes some tenths of a second. */
#define WOKEN_MS 30000
#define SET_MS   10000
/* An answer that took longer tells the time less exactly: it is asked for again. */
#define SPAN_MOST_NS (20 * MILLISECOND)
#define TRIES        5
#define MILLISECOND  INT64_C(1000000)
#define SECOND       INT64_C(1000000000)

/* What the guest's clock showed, and by how much it is ahead of ours (negative: behind), give or take half of `span`. */
struct reading {
        int64_t guest_ns, ahead_ns, span_ns;
};

static int64_t time_ns(void)
{
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

static int read_once(struct agent *agent, deadline limit, struct reading *out, struct error **err)
{
        _cleanup_(json_decrefp) json_t *reply = NULL;
        int64_t before = time_ns();
        int64_t after;

        if (agent_call(agent, "guest-get-time", NULL, limit, &reply, err) < 0)
                return -1;
        after = time_ns();
        *out = (struct reading){ .guest_ns = json_integer_value(reply), .span_ns = after - before };
        /* A time that the guest's kernel can't have is a lie. */
        if (!json_is_integer(reply) || out->guest_ns < 0 || out->span_ns < 0)
                return error_set(err, ERROR_ENGINE, "the guest agent says no time");
        out->ahead_ns = out->guest_ns - (before + out->span_ns / 2);
        return 0;
}

/* Keeps the reading that took the shortest time. */
static int read_clock(struct agent *agent, deadline limit, struct reading *out, struct error **err)
{
        if (read_once(agent, limit, out, err) < 0)
                return -1;
        for (int i = 1; i < TRIES && out->span_ns > SPAN_MOST_NS; i++) {
                struct reading next;

                if (read_once(agent, limit, &next, err) < 0)
                        return -1;
                if (next.span_ns < out->span_ns)
                        *out = next;
        }
        return 0;
}

static bool is_off(const struct reading *reading, int64_t most_ns)
{
        int64_t off = reading->ahead_ns < 0 ? -reading->ahead_ns : reading->ahead_ns;

        return off > most_ns + reading->span_ns / 2;
}

static int set_clock(struct agent *agent, pid_t qemu, const struct reading *reading, struct error **err)
{
        bool slew = reading->ahead_ns > 0 && reading->ahead_ns <= CLOCK_SLEW_MS * MILLISECOND;
        _cleanup_(freep) char *expected = xasprintf("%jd", (intmax_t)(reading->guest_ns / 1000));
        _cleanup_(freep) char *by = xasprintf("%jd", (intmax_t)(-reading->ahead_ns / 1000));
        const char *const argv[] = { "/usr/bin/perl", "-", expected, by, slew ? "slew" : "step", NULL };
        _cleanup_(freep) char *path = paths_shipped("guest/session/clock", err);
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        if (!path || file_read(path, SCRIPT_LIMIT, &script, err) < 0)
                return -1;
        return agent_run(agent, argv, &script, qemu, SET_MS, err);
}

static void say_set(const struct vm *vm, const struct reading *reading, struct event_sink *events)
{
        int64_t tenths = (reading->ahead_ns < 0 ? -reading->ahead_ns : reading->ahead_ns) / (SECOND / 10);

        if (tenths >= 10)
                event_note(events, "the clock of VM '%s' was %jd.%jd s %s: it is set", vm->name, (intmax_t)(tenths / 10),
                           (intmax_t)(tenths % 10), reading->ahead_ns < 0 ? "behind" : "ahead");
}

/*
 * Sets the clock of a guest that was woken by the agent alone: a program that has yet to be started there takes long where it
 * is emulated. The order arrives late by its own way, and says nothing of whether it fits, so the clock is read again.
 */
static int set_at_once(struct agent *agent, struct reading *reading, deadline limit, struct error **err)
{
        int64_t arrives = time_ns() + reading->span_ns / 2;
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:I}", "time", (json_int_t)arrives);

        /* It then looks for a hardware clock to set too, and a guest has no program for that. */
        agent_call(agent, "guest-set-time", arguments, limit, NULL, NULL);
        return read_clock(agent, limit, reading, err);
}

/* *answered becomes true once the agent has told the time. */
static int settle(const struct runtime *runtime, bool woken, deadline limit, struct reading *off, bool *answered,
                  struct error **err)
{
        _cleanup_(agent_freep) struct agent *agent = NULL;
        struct reading reading;

        *off = (struct reading){ 0 };
        if (agent_connect(runtime->agent, limit, &agent, err) < 0 || read_clock(agent, limit, &reading, err) < 0)
                return -1;
        *answered = true;
        if (!is_off(&reading, CLOCK_FINE_MS * MILLISECOND))
                return 0;
        *off = reading;
        if (woken && set_at_once(agent, &reading, limit, err) < 0)
                return -1;
        return is_off(&reading, CLOCK_FINE_MS * MILLISECOND) ? set_clock(agent, runtime_qemu(runtime), &reading, err) : 0;
}

static void say_failed(const struct vm *vm, bool answered, const struct error *reason, struct event_sink *events)
{
        _cleanup_(freep) char *text = error_text(reason);

        event_warning(events, "the clock of VM '%s' can't be %s: %s", vm->name, answered ? "set" : "checked", text);
}

static void mark_silent(const struct runtime *runtime)
{
        _cleanup_(closep) int fd _unused_ = open(runtime->silent, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void engine_settle_clock(const struct vm *vm, struct event_sink *events)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        struct reading off;
        bool answered = false;
        bool was_silent;

        /* A guest that is still being started has no agent yet. */
        if (runtime_find(vm, &runtime, NULL) < 0 || !file_exists(runtime.ready))
                return;
        was_silent = file_exists(runtime.silent);
        if (settle(&runtime, false, deadline_in(was_silent ? SILENT_MS : ANSWER_MS), &off, &answered, &reason) == 0)
                say_set(vm, &off, events);
        else if (answered || !was_silent)
                say_failed(vm, answered, reason, events);
        if (answered)
                file_remove(runtime.silent, NULL);
        else
                mark_silent(&runtime);
}

void clock_settle_woken(const struct vm *vm, const struct runtime *runtime, struct event_sink *events)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        struct reading off;
        bool answered = false;

        if (settle(runtime, true, deadline_in(WOKEN_MS), &off, &answered, &reason) < 0)
                say_failed(vm, answered, reason, events);
        if (!answered)
                mark_silent(runtime);
}
