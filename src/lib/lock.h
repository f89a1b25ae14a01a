/*
 * A lock file: flock(2) on an O_CLOEXEC descriptor, so that it goes with the process that works. The file may be removed
 * with its folder by the holder: whoever waited for it notices (the path names another inode, or none) and tries anew.
 *
 *         _cleanup_(lock_release) struct lock lock = LOCK_INIT;
 *         if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 60000, err) < 0)
 *                 return -1;
 */
#pragma once

#include "error.h"
#include "event.h"

enum lock_mode { LOCK_EXCLUSIVE, LOCK_SHARED };

struct lock {
        int fd; /* -1 = not held */
};

#define LOCK_INIT                                                                                                              \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }

/*
 * Takes the lock, waiting up to `timeout_ms` (0 = don't wait; -1 = no limit). The file is made (0600), its folder is not.
 * Held by somebody else until the limit: ERROR_FAILED "… is held by another process". A missing folder: ERROR_NOT_FOUND.
 */
int lock_acquire(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct error **err);
/* The same without waiting. 1 = taken, 0 = somebody else holds it, -1. */
int lock_try(struct lock *lock, const char *path, enum lock_mode mode, struct error **err);
/* Takes it, and where somebody else has it says `note` first. What was found is what is acted on: it can't be taken in between
 * unsaid. */
int lock_await(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct event_sink *events,
               const char *note, struct error **err);
/*
 * Is it held LOCK_EXCLUSIVE by anybody, right now? 1, 0, or -1 when that could not be found out. A missing file is not held;
 * who shares it is not seen.
 */
int lock_is_held(const char *path, struct error **err);
void lock_release(struct lock *lock);
