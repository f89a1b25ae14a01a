/*
 * Runs a program in the guest for a caller that is a program itself: without a terminal, without input, and without the ssh
 * agent. Output and time have limits, and hitting one is no failure.
 *
 * What runs in the guest ends when this process does, however it ends, and when its time is up: its whole process group gets a
 * hang-up, and a second later a kill (guest/session/execute.sh).
 */
#pragma once

#include "guest/session.h"

struct execution {
        const char *folder;      /* where it runs, as an absolute path in the guest */
        const char *script;      /* for bash, with argv as its $0, $1, …; NULL = argv is a program and its arguments */
        const char *const *argv; /* with the script no longer than EXECUTE_MOST, all words together */
        int timeout_ms;
        size_t output_limit;     /* of each stream */
        process_line_fn on_line; /* stdout's and stderr's lines as they come; NULL = none */
        void *on_line_data;
};

/* The kernel takes no argument over 128 KiB, and quoting makes a word longer. */
#define EXECUTE_MOST (32 << 10)

/*
 * Fails with ERROR_NOT_FOUND when there is no such folder, and with ERROR_STEP when the guest can't be reached. Else the result
 * has the exit status that a shell reports, as waitpid(2) gives it, and what the limits cut.
 */
int execute(const struct vm *vm, const struct execution *what, struct process_result *result, struct error **err);
