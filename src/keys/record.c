#include "keys/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/lock.h"
#include "lib/os.h"
#include "lib/text.h"

#define LOCK_MS 1000
#define DAY     (24 * 60 * 60)

static bool is_young(const char *old)
{
        struct stat status;

        return stat(old, &status) == 0 && status.st_mtime > time(NULL) - RECORD_DAYS * DAY;
}

static off_t size_of(const char *path)
{
        struct stat status;

        return stat(path, &status) == 0 ? status.st_size : 0;
}

bool record_is_full(const char *path)
{
        _cleanup_(freep) char *old = xasprintf("%s.old", path);

        return size_of(path) >= RECORD_DONE_MOST && is_young(old);
}

/* Makes room in `path` when it is full. Returns false when there is none. */
static bool make_room(const char *path, bool done)
{
        _cleanup_(freep) char *old = xasprintf("%s.old", path);
        off_t most = done ? RECORD_DONE_MOST : RECORD_OTHER_MOST;
        off_t size = size_of(path);

        if (size < most)
                return true;
        /* For requests that were under way when it became full. */
        if (done && is_young(old))
                return size < 2 * most;
        return rename(path, old) == 0;
}

/* With milliseconds, because the two files are read as one. */
static char *time_text(void)
{
        struct timespec now;
        _cleanup_(freep) char *seconds = NULL;

        clock_gettime(CLOCK_REALTIME, &now);
        seconds = text_format_time(now.tv_sec);
        seconds[strlen(seconds) - 1] = '\0';
        return xasprintf("%s.%03ldZ", seconds, now.tv_nsec / 1000000);
}

static char *line_of(const char *members)
{
        _cleanup_(freep) char *when = time_text();
        char *line = xasprintf("{\"time\":\"%s\",%s}\n", when, members);

        for (char *c = line; c[1]; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        *c = '?';
        return line;
}

void record_add(const char *path, bool done, const char *members)
{
        _cleanup_(freep) char *file = done ? xstrdup(path) : xasprintf("%s.refused", path);
        _cleanup_(freep) char *lock_path = xasprintf("%s.lock", path);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *line = line_of(members);
        _cleanup_(closep) int fd = -1;

        /* When another session holds the lock for longer, the line is added to the file as it is. */
        if (lock_acquire(&lock, lock_path, LOCK_EXCLUSIVE, LOCK_MS, NULL) == 0 && !make_room(file, done))
                return;
        fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 && write(fd, line, strlen(line)) < 0)
                return;
}
