/*
 * Commands that run in several guests at once, each with its output in a log file of its own. Like those of guest/execute.h
 * they have no terminal and no input, and end with this process, however it ends: a job's stdin is its lifeline.
 *
 *         JOB_INIT -> job_begin() -> jobs_wait() until job.ended -> job_clear(), which ends one that still runs
 */
#pragma once

#include "guest/session.h"
#include "lib/capped-log.h"
#include "lib/strbuf.h"

struct job {
        const struct vm *vm;
        char *mark;     /* in the lines after which the output is the command's own */
        size_t marks;   /* how many of these have come */
        pid_t pid;      /* of ssh; 0 = it doesn't run */
        int process_fd; /* readable once ssh has ended */
        int input_fd;   /* the lifeline */
        int output_fd;  /* stdout and stderr of the command; -1 = it is closed */
        int log_fd;
        struct capped_log log;
        struct strbuf held; /* what has come and may not be the command's own output */
        int64_t started;    /* now_ms() */
        int64_t took_ms;    /* how long it took; valid once it has ended */
        int status;         /* as a shell reports it; valid once it has ended */
        bool no_folder;     /* the guest has not the folder */
        bool ended;
        bool unreached; /* it never began: the log says why */
};

#define JOB_INIT                                                                                                               \
        {                                                                                                                      \
                .process_fd = -1, .input_fd = -1, .output_fd = -1, .log_fd = -1, .log = CAPPED_LOG_INIT, .held = STRBUF_INIT   \
        }
/* Starts a script for bash, with `args` (NULL-ended) as its $1, $2, …, in a folder of the guest. `log` is a path; what was
 * there is replaced. */
int job_begin(struct job *job, const struct vm *vm, const char *folder, const char *script, const char *const *args,
              const char *log, struct error **err);
/*
 * Waits until one of the jobs that run (not NULL) has ended, and keeps what they say. Guests that are paused are told to go
 * on. Returns at once when none runs. Fails with ERROR_INTERRUPTED when the program was asked to end, and leaves them running.
 */
int jobs_wait(struct job *const *jobs, size_t count, struct error **err);
/* Ends it without waiting: its lifeline ends, which in the guest is a hang-up for the command, and a second later a kill. */
void job_hang_up(struct job *job);
void job_clear(struct job *job);
