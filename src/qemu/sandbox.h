/*
 * Puts bubblewrap around QEMU: no network, no other processes, and only the files that QEMU needs. It doesn't end with us
 * unless that is asked for, because a VM outlives the command that starts it. Source: bwrap(1).
 */
#pragma once

#include "lib/strv.h"

struct sandbox {
        const char *program; /* bwrap's absolute path */
        const char *qemu;    /* QEMU's absolute path */
        bool kvm;
        bool dies_with_parent;
        struct strv read_only; /* files and folders, under the same names inside */
        struct strv writable;
};

#define SANDBOX_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void sandbox_clear(struct sandbox *sandbox);

/* The words to put in front of QEMU's command line. */
void sandbox_build(const struct sandbox *sandbox, struct strv *argv);
