/*
 * Tells a slow wait from a dead one. A wait may go on while something moves: the guest says something, or the process that runs
 * it works, reads or writes, or would if others left it the processor. It is over when nothing has moved for the quiet time,
 * or, because a guest may boot in a circle, after the whole time.
 *
 *         progress_begin(&progress, 60000, 600000, now_ms());
 *         progress_moved(&progress, now_ms());                 // whenever something came from the guest
 *         progress_look(&progress, pid, now_ms());             // every progress_pause_ms()
 *         if (progress_is_over(&progress, now_ms()))
 *                 return error_set(err, ERROR_ENGINE, "… does not answer %s", progress_text(…));
 *
 * Times are those of now_ms(); they don't count while the computer sleeps.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/error.h"
#include "lib/os.h"

/* For error_passes(), when a guest that boots was waited for in vain. */
#define PROGRESS_BOOT_PASSES "a guest boots faster when this computer has less to do"

struct progress {
        int quiet_ms, whole_ms;
        int64_t begun, moved, looked;
        struct os_process_work work; /* at the last look; before the first, all zero */
};

void progress_begin(struct progress *progress, int quiet_ms, int whole_ms, int64_t now);
void progress_moved(struct progress *progress, int64_t now);
/* Looks at what the process has done since the last look. A process that is gone (or 0) has done nothing. */
void progress_look(struct progress *progress, pid_t pid, int64_t now);
/* The same with what is known of the process. */
void progress_weigh(struct progress *progress, const struct os_process_work *work, int64_t now);
bool progress_is_over(const struct progress *progress, int64_t now);
/* How long to wait until the next look. */
int progress_pause_ms(const struct progress *progress);
/* "after 200 s, the last 60 s of them without any sign of life". Owned by the caller. */
char *progress_text(const struct progress *progress, int64_t now);
