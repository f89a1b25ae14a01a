/*
 * A lock file: flock(2) on an O_CLOEXEC descriptor, so that the lock ends with the process that works. The holder may remove
 * the file with its folder: a process that waited for the lock notices (the path names another inode, or none) and tries again.
 *
 *         _cleanup_(lock_release) struct lock lock = LOCK_INIT;
 *         if (lock_acquire(&lock, path, LOCK_EXCLUSIVE, 60000, err) < 0)
 *                 return -1;
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"

enum lock_mode { LOCK_EXCLUSIVE, LOCK_SHARED };

struct lock {
        int fd; /* -1 = not held */
};

#define LOCK_INIT                                                                                                              \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }

/*
 * Takes the lock, waiting up to `timeout_ms` (0 = 100 ms, in which a lock that is only being looked at comes free; -1 = no
 * limit). The file is made (0600), its folder is not. If somebody else holds the lock until the limit: ERROR_FAILED "… is held
 * by another process". A missing folder: ERROR_NOT_FOUND.
 */
int lock_acquire(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct error **err);
/* The same with 0. 1 = taken, 0 = somebody else holds it, -1 = error. */
int lock_try(struct lock *lock, const char *path, enum lock_mode mode, struct error **err);
/*
 * Takes the lock; if somebody else has it, says `note` first. The check is itself an attempt to take the lock, so nobody can
 * take it unannounced in between.
 */
int lock_await(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct event_sink *events,
               const char *note, struct error **err);
/*
 * Does anybody hold it LOCK_EXCLUSIVE right now? 1, 0, or -1 when that could not be found out. A missing file is not held;
 * shared holders are not seen.
 */
int lock_is_held(const char *path, struct error **err);
/* Does anybody hold it at all? 1, 0 or -1, like lock_is_held(). Takes the lock for an instant, so lock_is_held() may say so. */
int lock_is_used(const char *path, struct error **err);
void lock_release(struct lock *lock);
