#include "lib/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/interrupt.h"

/* lock_is_held() holds the lock for an instant. Callers that don't want to wait must not fail because of that. */
#define PROBE_MS         100
#define RETRY_LONGEST_MS 50

static int open_lock(const char *path, struct error **err)
{
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

        if (fd < 0) {
                error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED, "cannot open the lock '%s'", path);
                file_hint(err, path, errno);
        }
        return fd;
}

/* Does `path` still name the file of `fd`? The last holder may have removed it. */
static bool still_named(int fd, const char *path)
{
        struct stat ours;
        struct stat named;

        return fstat(fd, &ours) == 0 && lstat(path, &named) == 0 && ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* flock(2) with a limit. 1 = locked, 0 = the limit passed, or the program was asked to end; -1 with errno. */
static int flock_until(int fd, int operation, deadline limit)
{
        int pause = 1;

        while (flock(fd, operation | LOCK_NB) < 0) {
                int left = deadline_left(limit);

                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -1;
                if (left == 0 || interrupt_pending())
                        return 0;
                /*
                 * flock(2) has no timed form, can't be polled, and is not a cancellation point for a helper thread. So the lock
                 * is asked for again after a pause that grows.
                 */
                poll(NULL, 0, left > 0 && left < pause ? left : pause);
                pause = pause * 2 < RETRY_LONGEST_MS ? pause * 2 : RETRY_LONGEST_MS;
        }
        return 1;
}

/* 1 = held by us, 0 = held by somebody else until the limit, -1 = error. */
static int acquire_until(struct lock *lock, const char *path, enum lock_mode mode, deadline limit, struct error **err)
{
        for (;;) {
                _cleanup_(closep) int fd = open_lock(path, err);
                int got;

                if (fd < 0)
                        return -1;
                got = flock_until(fd, mode == LOCK_SHARED ? LOCK_SH : LOCK_EX, limit);
                if (got < 0)
                        return error_errno(err, ERROR_FAILED, "cannot lock '%s'", path);
                if (got == 0)
                        return 0;
                if (still_named(fd, path)) {
                        lock->fd = TAKE_FD(fd);
                        return 1;
                }
        }
}

int lock_try(struct lock *lock, const char *path, enum lock_mode mode, struct error **err)
{
        return acquire_until(lock, path, mode, deadline_in(PROBE_MS), err);
}

int lock_acquire(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct error **err)
{
        deadline limit = deadline_in(timeout_ms >= 0 && timeout_ms < PROBE_MS ? PROBE_MS : timeout_ms);
        int got = acquire_until(lock, path, mode, limit, err);

        if (got == 0 && interrupt_check(err) < 0)
                return -1;
        if (got == 0)
                return error_set(err, ERROR_FAILED, "'%s' is held by another process", path);
        return got < 0 ? -1 : 0;
}

int lock_await(struct lock *lock, const char *path, enum lock_mode mode, int timeout_ms, struct event_sink *events,
               const char *note, struct error **err)
{
        int got = lock_try(lock, path, mode, err);

        if (got != 0)
                return got < 0 ? -1 : 0;
        if (interrupt_check(err) < 0)
                return -1;
        event_note(events, "%s", note);
        return lock_acquire(lock, path, mode, timeout_ms, err);
}

/* Would the lock have to be waited for? */
static int ask(const char *path, int operation, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

        if (fd < 0) {
                if (errno == ENOENT)
                        return 0;
                error_errno(err, ERROR_FAILED, "cannot open the lock '%s'", path);
                return file_hint(err, path, errno);
        }
        while (flock(fd, operation | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        return 1;
                if (errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot check the lock '%s'", path);
        }
        return 0;
}

/* Asks for a shared lock, so that two callers at the same time don't take each other for a holder. */
int lock_is_held(const char *path, struct error **err)
{
        return ask(path, LOCK_SH, err);
}

int lock_is_used(const char *path, struct error **err)
{
        return ask(path, LOCK_EX, err);
}

void lock_release(struct lock *lock)
{
        if (!lock || lock->fd < 0)
                return;
        close(lock->fd);
        lock->fd = -1;
}
