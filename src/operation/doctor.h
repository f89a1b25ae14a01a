/* Checks that this computer can run VMs, that the configuration can be read, and that every VM is well. Each check names the
 * command that fixes it. */
#pragma once

#include "lib/error.h"
#include "operation/front.h"

enum doctor_verdict { DOCTOR_GOOD, DOCTOR_WARNING, DOCTOR_BAD };

struct doctor_check {
        enum doctor_verdict verdict;
        bool optional; /* not found, and not needed */
        char *name;    /* what was looked at */
        char *detail;  /* what was found */
        char *hint;    /* the command that fixes it; NULL = none; means nothing for a good check */
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

struct doctor_wish {
        struct front *front;
        bool layers; /* read all layers, and compare them with the hashes from when they were made */
        bool repair; /* mend first what can be mended without losing anything */
};

/* Runs all checks. A check that can't look is DOCTOR_BAD. */
void doctor_look(const struct doctor_wish *wish, struct doctor *out);
