#include <fcntl.h>

#include "host/paths.h"
#include "lib/process.h"
#include "vm/logging.h"

#define FIRST_FD 3

/* Nothing in the user's environment changes what machine-log does. */
static const char *const environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL };

int logging_open(const char *path, struct error **err)
{
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", path) : fd;
}

int logging_start(const struct logging_stream *streams, size_t count, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *program = paths_helper("machine-log", err);
        struct process_fd fds[2 * LOGGING_STREAMS_MOST];
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        if (!program)
                return -1;
        if (count > LOGGING_STREAMS_MOST)
                return error_set(err, ERROR_FAILED, "there are more than %d logs", LOGGING_STREAMS_MOST);
        strv_add(&argv, program);
        for (size_t i = 0; i < count; i++) {
                int in = FIRST_FD + 2 * (int)i;

                fds[2 * i] = (struct process_fd){ in, streams[i].in };
                fds[2 * i + 1] = (struct process_fd){ in + 1, streams[i].out };
                strv_addf(&argv, "%d:%d:%d:%d", in, in + 1, streams[i].head, streams[i].most);
        }
        return process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = environment,
                                                     .folder = "/",
                                                     .fds = fds,
                                                     .fd_count = 2 * count,
                                                     .new_session = true,
                                                     .outlives_us = true },
                             pid, err);
}
