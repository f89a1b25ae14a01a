/*
 * Other programs: argv arrays, never a shell; descriptors closed except for the ones named; every wait has a limit; what the
 * program said is kept for the error. A child ends with us, however we end, unless it is told to outlive us (process-spawn.h).
 *
 *         const char *const argv[] = { "git", "ls-remote", "--", url, NULL };
 *         _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
 *         if (process_check(&(struct process_spec) { .argv = argv, .timeout_ms = 10000 }, &out, err) < 0)
 *                 return error_wrap(err, "cannot reach '%s'", url);
 *
 * A missing program is ERROR_FAILED "cannot run 'git': not found".
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* A descriptor of ours that the child gets under the number `child_fd`. */
struct process_fd {
        int child_fd;
        int fd;
};

/* Called with each line (stdout or stderr) as it comes, without its line end; at most 4096 bytes of it. */
typedef void (*process_line_fn)(const char *line, void *data);

#define PROCESS_INHERIT      (-2) /* for *_fd below: the child shares ours */
#define PROCESS_OUTPUT_LIMIT (8 << 20)

struct process_spec {
        const char *const *argv;        /* argv[0] is looked up in PATH unless it has a slash */
        const char *const *environment; /* "KEY=value"…, NULL-ended; NULL = ours */
        const char *folder;             /* working directory; NULL = ours */
        const void *input;              /* fed to stdin, then end of file; NULL = /dev/null (or stdin_fd) */
        size_t input_length;
        int then_fd;                        /* read to its end and sent after `input`, which must then be set; 0 = nothing */
        int stdin_fd, stdout_fd, stderr_fd; /* 0 = default: /dev/null, captured, captured; PROCESS_INHERIT; or a descriptor */
        const struct process_fd *fds;       /* further descriptors */
        size_t fd_count;
        int timeout_ms; /* 0 = 60 s; -1 = no limit (a user's own long work) */
        int quiet_ms;   /* it also ends when it has said nothing for so long; 0 = it may be silent */
        /* Called while it runs, every `wait_ms` (0 = 5 s). When it fails, with an error, the run ends. NULL = none */
        int (*on_wait)(void *data, struct error **err);
        void *on_wait_data;
        int wait_ms;
        size_t output_limit;     /* bytes kept of each stream; 0 = PROCESS_OUTPUT_LIMIT; beyond it the run fails */
        process_line_fn on_line; /* NULL = none */
        void *on_line_data;
        bool lines_only;  /* stdout only goes to on_line: it is not kept, and has no limit */
        bool new_session; /* setsid(): no terminal, and a Ctrl-C on ours doesn't reach it */
        bool new_group;   /* setpgid(): a Ctrl-C on our terminal doesn't reach it, and it must not ask anything there */
        bool may_ask;     /* it may ask on our terminal, so process_run() gives it no group of its own */
        bool outlives_us; /* it goes on when we end; else it gets SIGTERM then */
        bool hold_input;  /* stdin is closed when the child has ended, not after the last byte of `input`: its end tells of ours
                           */
        bool tell_limits; /* output or time beyond their limits is no failure: the result tells what was cut */
};

struct process_result {
        int status; /* as waitpid(2) gives it */
        struct strbuf out, err;
        /* With `tell_limits`. Of a stream that was longer than its limit, the first half of the limit is kept, and the last. */
        size_t out_cut, err_cut; /* bytes that were left out between the two halves */
        bool late;               /* it was killed because its time was up; `status` is then of no use */
};

#define PROCESS_RESULT_INIT                                                                                                    \
        {                                                                                                                      \
                .out = STRBUF_INIT, .err = STRBUF_INIT                                                                         \
        }
void process_result_clear(struct process_result *result);

/*
 * Runs it to the end. 0 whatever its exit status; -1 when it could not be started, or hit a limit (it is then killed and
 * reaped). Where signals are caught (interrupt.h), it has a process group of its own unless it shares our stdin, and
 * ERROR_INTERRUPTED means that it was ended with that group, or not started.
 */
int process_run(const struct process_spec *spec, struct process_result *result, struct error **err);
/* Runs it to the end and wants exit status 0; otherwise the error ends with the last lines of its stderr. `out` may be NULL. */
int process_check(const struct process_spec *spec, struct strbuf *out, struct error **err);
/* Appends the last lines of what a program said, for an error: in one line, control characters made visible. */
void process_quote(struct strbuf *out, const struct strbuf *text);
/* Starts it and returns at once. Streams that would be captured go to /dev/null. The caller reaps it with process_wait(). */
int process_spawn(const struct process_spec *spec, pid_t *pid, struct error **err);
/* Waits for a child, up to timeout_ms (-1 = no limit). 1 = ended and reaped, 0 = still running, -1 = error. */
int process_wait(pid_t pid, int timeout_ms, int *status, struct error **err);
/* Replaces this program (stdio inherited). Returns only on failure. */
int process_exec(const char *const *argv, const char *const *environment, struct error **err);

/*
 * A process that waits for our end and then calls `act`, unless process_guard_end() came first: for what must be done even when
 * we are killed. It is a copy of this program with no descriptors and no terminal, so `act` may use what is in memory, and may
 * run programs.
 */
struct process_guard {
        pid_t pid;
        int fd; /* closed by our end */
};

#define PROCESS_GUARD_INIT                                                                                                     \
        {                                                                                                                      \
                .fd = -1                                                                                                       \
        }
int process_guard_begin(struct process_guard *guard, void (*act)(void *data), void *data, struct error **err);
void process_guard_end(struct process_guard *guard);

/* The file that `program` would be run from, or NULL when PATH has none. Owned by the caller. */
char *process_find(const char *program);
/* The exit status that a shell reports: 128 and the signal's number for a process that a signal ended. */
int process_exit_status(int status);
/* "exit status 3", "signal 9 (Killed)". Owned by the caller. */
char *process_status_text(int status);
/* Our environment with `overrides` ("KEY=value" sets, "KEY" removes), for process_spec.environment. */
void process_environment(struct strv *out, const char *const *overrides);
