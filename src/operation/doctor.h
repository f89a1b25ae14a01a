/* Checks that this computer can run VMs, that the configuration can be read, and that every VM is well. Each check names the
 * command that fixes it. */
#pragma once

#include "lib/error.h"

enum doctor_verdict { DOCTOR_GOOD, DOCTOR_WARNING, DOCTOR_BAD };

struct doctor_check {
        enum doctor_verdict verdict;
        char *name;   /* what was looked at */
        char *detail; /* what was found */
        char *hint;   /* the command that fixes it; NULL = none; means nothing for a good check */
};

struct doctor {
        struct doctor_check *checks;
        size_t count;
        unsigned bad; /* how many are DOCTOR_BAD */
};

#define DOCTOR_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void doctor_clear(struct doctor *doctor);

/* Runs all checks. A check that can't look is DOCTOR_BAD. */
void doctor_look(struct doctor *out);
