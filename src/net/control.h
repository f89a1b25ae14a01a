/*
 * The supervisor's end of lib/net-control.h: takes requests from the listening socket that `machine` made, one connection at a
 * time, and never waits for one. The other end must be our user's, or root's. The supervisor answers and not the worker, which
 * a guest could take over.
 *
 *         poll(control_fd(&control), deadline_left(control_due(&control)))
 *         switch (control_take(&control, &wire)) … control_answer(&control, &reply);
 */
#pragma once

#include "lib/deadline.h"
#include "lib/error.h"
#include "lib/net-control.h"

enum control_word {
        CONTROL_NONE, /* nothing to do yet; what was not a request has its answer already */
        CONTROL_HOLD,
        CONTROL_GO,
        CONTROL_LOOK,
};

struct control {
        int listener;   /* -1 = none; borrowed */
        int client;     /* -1 = none; else it has an answer to get */
        deadline until; /* for the client's request */
};

#define CONTROL_INIT                                                                                                           \
        {                                                                                                                      \
                .listener = -1, .client = -1, .until = DEADLINE_NEVER                                                          \
        }

/* Fails unless `listener` is a listening socket of that kind. */
int control_open(struct control *control, int listener, struct error **err);
/* Which descriptor becomes readable when control_take() has something to do; -1 = none. */
int control_fd(const struct control *control);
/* When control_take() is to be called even so. */
deadline control_due(const struct control *control);
/* *wire: the stream that came along, the caller's; -1 = none. */
enum control_word control_take(struct control *control, int *wire);
/* Answers the client, if it is still there, and is ready for the next one. */
void control_answer(struct control *control, const struct net_reply *reply);
