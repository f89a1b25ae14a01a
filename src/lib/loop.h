/*
 * A poll(2) loop: descriptors and timers with a function each. One thread. Sources may be added and removed from inside
 * any callback, their own too; loop_step() and loop_run() may not be called there.
 *
 *         struct loop *loop = loop_new();
 *         loop_add_fd(loop, fd, POLLIN, on_readable, self);
 *         loop_add_timer(loop, 5000, on_late, self);
 *         status = loop_run(loop, err);          // until loop_quit(), or no source is left
 */
#pragma once

#include "lib/error.h"

struct loop;
struct loop_source;

typedef void (*loop_fd_fn)(struct loop *loop, int fd, short revents, void *data);
typedef void (*loop_timer_fn)(struct loop *loop, void *data);

struct loop *loop_new(void);
void loop_free(struct loop *loop); /* frees its sources, closes no descriptor */
void loop_freep(struct loop **loop);

struct loop_source *loop_add_fd(struct loop *loop, int fd, short events, loop_fd_fn function, void *data);
void loop_set_events(struct loop_source *source, short events); /* 0 = paused */
/* Fires once after `ms` milliseconds, then is gone. */
struct loop_source *loop_add_timer(struct loop *loop, int64_t ms, loop_timer_fn function, void *data);
void loop_remove(struct loop *loop, struct loop_source *source); /* may be NULL */

/* Runs until loop_quit(); returns the status given there, 0 when no source is left, -1 with an error when poll fails. */
int loop_run(struct loop *loop, struct error **err);
/* One round: waits at most timeout_ms (-1 = until something happens). */
int loop_step(struct loop *loop, int timeout_ms, struct error **err);
void loop_quit(struct loop *loop, int status);
