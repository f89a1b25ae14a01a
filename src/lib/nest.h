/*
 * A temporary folder that nobody has to clean up after. Its maker holds a lock in it while working there. Whoever makes the
 * next one removes those that nobody holds any more, such as a killed program's.
 *
 *         _cleanup_(nest_clear) struct nest nest = NEST_INIT;
 *         if (nest_make(parent, ".machine-cp.", &nest, err) < 0)
 *                 return -1;
 *
 * The file "lock" in it is the nest's own.
 */
#pragma once

#include "lib/error.h"
#include "lib/lock.h"

struct nest {
        char *folder; /* PARENT/PREFIX and six letters more; mode 0700; NULL = not made */
        struct lock lock;
};

#define NEST_INIT                                                                                                              \
        {                                                                                                                      \
                .lock = LOCK_INIT                                                                                              \
        }

/*
 * Makes one in `parent`, which must exist. Also removes the ones with the same prefix that ended programs of this user have
 * left there.
 */
int nest_make(const char *parent, const char *prefix, struct nest *out, struct error **err);
/* Removes it with everything in it. */
void nest_clear(struct nest *nest);
