#include "guest/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/script.h"
#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"

#define SSH_FAILED  255         /* ssh(1), EXIT STATUS: its own, or the command's */
#define LOG_HEAD    (256 << 10) /* bytes */
#define LOG_MOST    (16 << 20)
#define BEFORE_MOST (64 << 10) /* of what a login prints */
#define MARKS       2          /* one on each of the command's outputs */
#define LOOK_MS     5000       /* between two looks whether a guest is paused */
#define END_MS      10000      /* for what has lost its lifeline */
#define READ_SIZE   (64 << 10)

static void close_fd(int *fd)
{
        closep(fd);
        *fd = -1;
}

/* --- what it says */

static void keep(struct job *job, const char *data, size_t length)
{
        /* A log that can't be written has less in it, and the command goes on. */
        if (length > 0)
                capped_log_write(&job->log, data, length, NULL);
}

/* Returns where the lines with the marks end in `before`, or NULL while one of them is yet to come. */
static const char *after_marks(struct job *job)
{
        const char *at = job->before.buf;
        const char *end = NULL;

        for (job->marks = 0; job->marks < MARKS; job->marks++) {
                at = strstr(at, job->mark);
                end = at ? strchr(at, '\n') : NULL;
                if (!end)
                        return NULL;
                at = end + 1;
        }
        return at;
}

/* The command's output is what comes after both marks. What never has them is kept whole, because it says why. */
static void take(struct job *job, const char *data, size_t length)
{
        const char *own;

        if (job->marks == MARKS) {
                keep(job, data, length);
                return;
        }
        strbuf_add(&job->before, data, length);
        own = after_marks(job);
        if (own)
                keep(job, own, (size_t)(job->before.buf + job->before.len - own));
        else if (job->before.len > BEFORE_MOST)
                strbuf_consume(&job->before, job->before.len - BEFORE_MOST);
}

/* Reads what is there, once. */
static void hear(struct job *job)
{
        char buffer[READ_SIZE];
        ssize_t got = read(job->output_fd, buffer, sizeof(buffer));

        if (got > 0)
                take(job, buffer, (size_t)got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
                close_fd(&job->output_fd);
}

/* --- its beginning and its end */

static int open_log(struct job *job, const char *path, struct error **err)
{
        file_remove(path, NULL);
        job->log_fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (job->log_fd < 0) {
                int failure = errno;

                error_errno(err, ERROR_FAILED, "cannot write '%s'", path);
                return file_hint(err, path, failure);
        }
        return capped_log_open(&job->log, job->log_fd, LOG_HEAD, LOG_MOST, err);
}

static int start(struct job *job, const struct strbuf *remote, struct error **err)
{
        const struct session session = { .vm = job->vm, .forward_agent = job->vm->record.forward_agent };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        struct process_spec spec = { .new_session = true };
        int input[2] = { -1, -1 };
        int output[2] = { -1, -1 };
        int status;

        if (os_pipe(input) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        job->input_fd = input[1];
        if (os_pipe(output) < 0) {
                closep(&input[0]);
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        }
        job->output_fd = output[0];
        fcntl(job->output_fd, F_SETFL, O_NONBLOCK);
        session_argv(&session, remote->buf, &argv);
        spec.argv = strv_argv(&argv);
        spec.stdin_fd = input[0];
        spec.stdout_fd = spec.stderr_fd = output[1];
        status = process_spawn(&spec, &job->pid, err);
        closep(&input[0]);
        closep(&output[1]);
        return status;
}

int job_begin(struct job *job, const struct vm *vm, const char *folder, const char *script, const char *const *args,
              const char *log, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv words = STRV_INIT;

        job->vm = vm;
        job->started = now_ms();
        job->mark = xasprintf("machine-job-%ld-%lld ", (long)getpid(), (long long)job->started);
        strv_adds(&words, job->mark, folder, "script", script, "machine", NULL);
        for (; *args; args++)
                strv_add(&words, *args);
        if (script_command("execute.sh", &words, &remote, err) < 0 || open_log(job, log, err) < 0 ||
            start(job, &remote, err) < 0)
                return -1;
        job->process_fd = os_process_fd(job->pid);
        return job->process_fd < 0 ? error_errno(err, ERROR_FAILED, "cannot watch ssh") : 0;
}

/* Reaps ssh, and reads what is left of the output. A program that the command left in the background may keep it open. */
static void finish(struct job *job)
{
        int status = 0;

        if (process_wait(job->pid, END_MS, &status, NULL) != 1)
                return;
        for (size_t left = LOG_MOST / READ_SIZE; job->output_fd >= 0 && left > 0; left--) {
                struct pollfd poll_fd = { .fd = job->output_fd, .events = POLLIN };

                if (poll(&poll_fd, 1, 0) <= 0)
                        break;
                hear(job);
        }
        if (job->marks < MARKS)
                keep(job, job->before.buf, job->before.len);
        job->pid = 0;
        job->ended = true;
        job->status = process_exit_status(status);
        job->unreached = job->marks < MARKS;
        job->took_ms = now_ms() - job->started;
        close_fd(&job->output_fd);
        close_fd(&job->input_fd);
        close_fd(&job->process_fd);
}

/* --- waiting */

static void resume_paused(struct job *const *jobs, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (jobs[i]->pid > 0)
                        vm_resume(jobs[i]->vm, NULL);
}

static size_t count_running(struct job *const *jobs, size_t count)
{
        size_t running = 0;

        for (size_t i = 0; i < count; i++)
                running += jobs[i]->pid > 0;
        return running;
}

/* One wait for anything to happen. Returns 1 when a job has ended, 0, or -1. */
static int wait_once(struct job *const *jobs, size_t count, int limit_ms, struct error **err)
{
        _cleanup_(freep) struct pollfd *fds = xcalloc(2 * count + 1, sizeof(*fds));
        bool ended = false;

        for (size_t i = 0; i < count; i++) {
                fds[2 * i] = (struct pollfd){ .fd = jobs[i]->process_fd, .events = POLLIN };
                fds[2 * i + 1] = (struct pollfd){ .fd = jobs[i]->output_fd, .events = POLLIN };
        }
        fds[2 * count] = (struct pollfd){ .fd = interrupt_fd(), .events = POLLIN };
        if (poll(fds, 2 * count + 1, limit_ms) < 0)
                return errno == EINTR ? 0 : error_errno(err, ERROR_FAILED, "cannot wait for ssh");
        for (size_t i = 0; i < count; i++) {
                if (fds[2 * i + 1].revents)
                        hear(jobs[i]);
                if (fds[2 * i].revents) {
                        finish(jobs[i]);
                        ended = true;
                }
        }
        return ended;
}

int jobs_wait(struct job *const *jobs, size_t count, struct error **err)
{
        deadline look = deadline_in(LOOK_MS);
        int ended = 0;

        if (count_running(jobs, count) == 0)
                return 0;
        while (ended == 0) {
                if (interrupt_check(err) < 0)
                        return -1;
                ended = wait_once(jobs, count, deadline_left(look), err);
                if (deadline_passed(look)) {
                        resume_paused(jobs, count);
                        look = deadline_in(LOOK_MS);
                }
        }
        return ended < 0 ? -1 : 0;
}

void job_hang_up(struct job *job)
{
        close_fd(&job->input_fd);
}

void job_clear(struct job *job)
{
        job_hang_up(job);
        if (job->pid > 0 && process_wait(job->pid, interrupt_pending() ? END_MS / 2 : END_MS, NULL, NULL) == 0) {
                kill(job->pid, SIGKILL);
                process_wait(job->pid, END_MS, NULL, NULL);
        }
        close_fd(&job->output_fd);
        close_fd(&job->process_fd);
        close_fd(&job->log_fd);
        strbuf_clear(&job->before);
        free(job->mark);
        *job = (struct job)JOB_INIT;
}
