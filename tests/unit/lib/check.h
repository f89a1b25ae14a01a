/*
 * Shared by all tests of lib/: cmocka with the headers it needs, errors compared in one line, and code run in a child, for
 * calls that end the program and for tests that need two processes.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/file.h"

/* `err` must be set, with this kind and this text ("message: cause: cause"). */
#define assert_error(err, kind_, text)                                                                                         \
        do {                                                                                                                   \
                _cleanup_(freep) char *_said = NULL;                                                                           \
                                                                                                                               \
                assert_non_null(err);                                                                                          \
                if (!(err)) /* for tools that don't know that assert_non_null() doesn't return */                              \
                        break;                                                                                                 \
                _said = error_text(err);                                                                                       \
                assert_string_equal(_said, text);                                                                              \
                assert_int_equal((err)->kind, kind_);                                                                          \
        } while (0)

/* fork(2) that must succeed. The child ends with the test program, even if a failed check keeps us from ending it. */
static inline pid_t fork_child(void)
{
        pid_t parent = getpid();
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
                _exit(1);
        return pid;
}

/*
 * Runs `function` in a child without core dumps. The child's exit status is what `function` returns. What it writes to stderr
 * goes into `said`. Returns the status of waitpid(2).
 */
static inline int in_child(int (*function)(void *data), void *data, struct strbuf *said)
{
        int ends[2];
        int status;
        pid_t pid;

        assert_int_equal(pipe(ends), 0);
        pid = fork_child();
        if (pid == 0) {
                setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
                dup2(ends[1], STDERR_FILENO);
                close(ends[0]);
                close(ends[1]);
                _exit(function(data));
        }
        close(ends[1]);
        assert_int_equal(file_read_fd(ends[0], "the child's stderr", 1 << 20, said, NULL), 0);
        close(ends[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return status;
}
