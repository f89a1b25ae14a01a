/*
 * The lists of allowed system calls, loaded by libseccomp. filter.c says for each what it leaves open, and why.
 */
#pragma once

#include "lib/error.h"

enum filter_kind {
        FILTER_SUPERVISOR, /* what isn't listed fails with EPERM */
        FILTER_WORKER,     /* what isn't listed kills the process */
};

/* Applies to this process and its children from now on. PR_SET_NO_NEW_PRIVS must be on. */
int filter_load(enum filter_kind kind, struct error **err);
