#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "lib/deadline.h"

struct loop_source {
        bool dead; /* removed; freed when the round is over */
        int fd;    /* -1 = a timer */
        short events;
        int64_t due; /* on the clock of now_ms() */
        loop_fd_fn on_fd;
        loop_timer_fn on_timer;
        void *data;
};

struct loop {
        struct loop_source **sources;
        size_t count, room;
        struct pollfd *polled;        /* of this round … */
        struct loop_source **waiting; /* … and the source of each */
        size_t poll_room;
        bool in_round;
        bool quitting;
        int status;
};

struct loop *loop_new(void)
{
        return xcalloc(1, sizeof(struct loop));
}

void loop_free(struct loop *loop)
{
        if (!loop)
                return;
        for (size_t i = 0; i < loop->count; i++)
                free(loop->sources[i]);
        free(loop->sources);
        free(loop->polled);
        free(loop->waiting);
        free(loop);
}

void loop_freep(struct loop **loop)
{
        loop_free(*loop);
}

static struct loop_source *add_source(struct loop *loop, struct loop_source source)
{
        if (loop->count == loop->room) {
                loop->room = loop->room > 0 ? loop->room * 2 : 16;
                loop->sources = xreallocarray(loop->sources, loop->room, sizeof(*loop->sources));
        }
        return loop->sources[loop->count++] = xmemdup(&source, sizeof(source));
}

struct loop_source *loop_add_fd(struct loop *loop, int fd, short events, loop_fd_fn function, void *data)
{
        return add_source(loop, (struct loop_source){ .fd = fd, .events = events, .on_fd = function, .data = data });
}

void loop_set_events(struct loop_source *source, short events)
{
        source->events = events;
}

struct loop_source *loop_add_timer(struct loop *loop, int64_t ms, loop_timer_fn function, void *data)
{
        int64_t due;

        if (__builtin_add_overflow(now_ms(), ms > 0 ? ms : 0, &due))
                due = INT64_MAX;
        return add_source(loop, (struct loop_source){ .fd = -1, .due = due, .on_timer = function, .data = data });
}

/* Frees the sources that were removed. */
static void sweep(struct loop *loop)
{
        size_t kept = 0;

        for (size_t i = 0; i < loop->count; i++) {
                if (loop->sources[i]->dead)
                        free(loop->sources[i]);
                else
                        loop->sources[kept++] = loop->sources[i];
        }
        loop->count = kept;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
        if (!source)
                return;
        source->dead = true;
        if (!loop->in_round)
                sweep(loop);
}

/* Puts what must be polled into loop->polled and loop->waiting. Shortens *timeout_ms to the next timer. */
static size_t prepare(struct loop *loop, int *timeout_ms)
{
        int64_t now = now_ms();
        size_t count = 0;

        if (loop->poll_room < loop->count) {
                loop->poll_room = loop->room;
                loop->polled = xreallocarray(loop->polled, loop->poll_room, sizeof(*loop->polled));
                loop->waiting = xreallocarray(loop->waiting, loop->poll_room, sizeof(*loop->waiting));
        }
        for (size_t i = 0; i < loop->count; i++) {
                struct loop_source *source = loop->sources[i];

                if (source->on_timer) {
                        int64_t left = source->due > now ? source->due - now : 0;

                        if (*timeout_ms < 0 || left < *timeout_ms)
                                *timeout_ms = left < INT_MAX ? (int)left : INT_MAX;
                } else if (source->events != 0) {
                        /* A paused one is left out: poll(2) would report its hang-up over and over. */
                        loop->polled[count] = (struct pollfd){ .fd = source->fd, .events = source->events };
                        loop->waiting[count++] = source;
                }
        }
        return count;
}

/* The timer among the first `count` sources that has been due for longest, or NULL. */
static struct loop_source *next_timer(struct loop *loop, size_t count, int64_t now)
{
        struct loop_source *next = NULL;

        for (size_t i = 0; i < count; i++) {
                struct loop_source *source = loop->sources[i];

                if (source->on_timer && !source->dead && source->due <= now && (!next || source->due < next->due))
                        next = source;
        }
        return next;
}

int loop_step(struct loop *loop, int timeout_ms, struct error **err)
{
        size_t polled = prepare(loop, &timeout_ms);
        size_t sources = loop->count; /* those added from now on have their turn in the next round */
        struct loop_source *timer;
        int64_t now;

        if (poll(loop->polled, (nfds_t)polled, timeout_ms) < 0)
                return errno == EINTR ? 0 : error_errno(err, ERROR_FAILED, "cannot wait for descriptors");

        loop->in_round = true;
        for (size_t i = 0; i < polled; i++) {
                struct loop_source *source = loop->waiting[i];
                short events = loop->polled[i].revents & (short)(source->events | POLLERR | POLLHUP | POLLNVAL);

                /* An earlier function of this round may have removed or paused it. */
                if (!source->dead && source->events != 0 && events != 0)
                        source->on_fd(loop, source->fd, events, source->data);
        }
        now = now_ms();
        while ((timer = next_timer(loop, sources, now))) {
                timer->dead = true;
                timer->on_timer(loop, timer->data);
        }
        loop->in_round = false;
        sweep(loop);
        return 0;
}

int loop_run(struct loop *loop, struct error **err)
{
        int status = 0;

        while (!loop->quitting && loop->count > 0)
                if (loop_step(loop, -1, err) < 0)
                        return -1;
        if (loop->quitting)
                status = loop->status;
        loop->quitting = false;
        return status;
}

void loop_quit(struct loop *loop, int status)
{
        loop->quitting = true;
        loop->status = status;
}
