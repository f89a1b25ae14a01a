/* The command line of machine-net; main.c says what each option means. */
#pragma once

#include "net/conduit.h"
#include "net/worker.h"

struct options {
        struct net_settings settings;
        struct waker_settings waker;
        const char *log_path; /* NULL = standard error */
};

/*
 * Fills `out`, which starts as OPTIONS_INIT, and opens the files of rules and account. Text is borrowed from argv. On failure
 * settings.ready_fd may be set: the error is to be said there.
 */
int options_parse(int argc, char **argv, struct options *out, struct error **err);
void options_clear(struct options *options);

#define OPTIONS_INIT                                                                                                           \
        {                                                                                                                      \
                .settings = {                                                                                                  \
                        .frames_fd = -1,                                                                                       \
                        .control_fd = -1,                                                                                      \
                        .ready_fd = -1,                                                                                        \
                        .network = &network_default,                                                                           \
                        .held_most = CONDUIT_HELD_MOST,                                                                        \
                        .rules_fd = -1,                                                                                        \
                        .account_fd = -1,                                                                                      \
                        .waker = WAKER_INIT,                                                                                   \
                },                                                                                                             \
        }
