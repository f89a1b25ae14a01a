#include "vm/progress.h"

#define LOOKS       12
#define BUSY_LEAST  10 /* percent of one processor; an idle guest takes a few, an emulated one too */
#define MOVED_LEAST (64 << 10)

void progress_begin(struct progress *progress, int quiet_ms, int whole_ms, int64_t now)
{
        *progress = (struct progress){ .quiet_ms = quiet_ms, .whole_ms = whole_ms, .begun = now, .moved = now, .looked = now };
}

void progress_moved(struct progress *progress, int64_t now)
{
        progress->moved = now;
}

void progress_weigh(struct progress *progress, const struct os_process_work *work, int64_t now)
{
        int64_t busy_ms = work->busy_ms - progress->work.busy_ms;
        int64_t bytes = work->disk_bytes - progress->work.disk_bytes;

        if (work->stopped || busy_ms * 100 >= (now - progress->looked) * BUSY_LEAST || bytes >= MOVED_LEAST)
                progress->moved = now;
        progress->work = *work;
        progress->looked = now;
}

void progress_look(struct progress *progress, pid_t pid, int64_t now)
{
        struct os_process_work work;

        if (now > progress->looked && pid > 0 && os_process_work(pid, &work) == 0)
                progress_weigh(progress, &work, now);
}

bool progress_is_over(const struct progress *progress, int64_t now)
{
        return now - progress->moved >= progress->quiet_ms || now - progress->begun >= progress->whole_ms;
}

int progress_pause_ms(const struct progress *progress)
{
        return progress->quiet_ms / LOOKS;
}

char *progress_text(const struct progress *progress, int64_t now)
{
        int64_t all = (now - progress->begun) / 1000;
        int64_t quiet = (now - progress->moved) / 1000;

        if (now - progress->moved < progress->quiet_ms)
                return xasprintf("after %jd s", (intmax_t)all);
        return xasprintf("after %jd s, the last %jd s of them without any sign of life", (intmax_t)all, (intmax_t)quiet);
}
