/*
 * The lists of system calls, loaded by libseccomp. What they leave open, and why, stands beside each in filter.c.
 */
#pragma once

#include "lib/error.h"

enum filter_kind {
        FILTER_SUPERVISOR, /* what isn't listed fails with EPERM */
        FILTER_WORKER,     /* what isn't listed kills the process */
};

/* From here on for this process and its children. PR_SET_NO_NEW_PRIVS must be on. */
int filter_load(enum filter_kind kind, struct error **err);
