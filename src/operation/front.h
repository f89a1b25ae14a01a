/*
 * What an operation needs from the front of the program that calls it (a command, a screen, a server): a place to report
 * progress, and a way to ask whether a checkout's files may count.
 */
#pragma once

#include "config/checkout-tree.h"
#include "lib/error.h"
#include "lib/event.h"

struct starter;

struct front {
        struct event_sink *events;
        /*
         * Asks whether a checkout's files may be acted on: they have changed since they were trusted, or never were trusted.
         * Records a yes (trust.h). 1 = yes, 0 = there is nobody to ask, -1 = no, or an error. NULL = there is nobody to ask.
         */
        int (*ask_trust)(struct front *front, const struct checkout_tree *tree, bool changed, struct error **err);
        /* Offers to write a first .machine.toml (operation/starter.h), and writes it. 1, 0, -1 and NULL mean the same. */
        int (*offer_project)(struct front *front, const struct starter *starter, struct error **err);
};
