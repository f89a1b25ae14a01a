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

/* What it wrote to one of its streams. */
struct execution_output {
        struct strbuf text;
        size_t cut, at; /* bytes that the limit has left out, and where in `text` they are missing */
};

struct execution_result {
        int status; /* as a shell reports it (process_exit_status()) */
        bool late;  /* it was killed because its time was up; there is no status then */
        struct execution_output out, err;
};

#define EXECUTION_RESULT_INIT                                                                                                  \
        {                                                                                                                      \
                .out = { .text = STRBUF_INIT }, .err = {.text = STRBUF_INIT }                                                  \
        }
void execution_result_clear(struct execution_result *result);

/*
 * Fails with ERROR_NOT_FOUND when there is no such folder, and with ERROR_STEP when the guest can't be reached. `result` must
 * be empty.
 */
int execute(const struct vm *vm, const struct execution *what, struct execution_result *result, struct error **err);
