/*
 * Says where the user is (in a checkout with or without a configuration, or somewhere else; which VM is meant, and what state
 * it is in) and which commands come next from there. Changes nothing and asks nothing.
 */
#pragma once

#include "lib/strv.h"
#include "operation/front.h"

struct next {
        char *where;          /* a sentence */
        bool here;            /* it is about the checkout that the current folder is in */
        struct strv commands; /* to type, the likeliest first */
        struct strv reasons;  /* what each does: as many as commands */
};

#define NEXT_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void next_clear(struct next *next);

/* Fails only when the current folder can't be told, or the VMs can't be listed. */
int next_find(struct front *front, struct next *out, struct error **err);
