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

#define SSH_FAILED 255         /* ssh(1), EXIT STATUS: its own, or the command's */
#define LOG_HEAD   (256 << 10) /* bytes */
#define LOG_MOST   (16 << 20)
#define HELD_MOST  (64 << 10) /* of what a login prints, and of one line */
#define MARKS      2          /* one on each of the command's outputs */
#define LOOK_MS    5000       /* between two looks whether a guest is paused */
#define END_MS     10000      /* for what has lost its lifeline */
#define NO_FOLDER  "the folder is not there\n"
#define READ_SIZE  (64 << 10)

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

/* Takes the next line with the mark out of `held`. Returns where it was, or SIZE_MAX while it has not come. */
static size_t take_mark(struct job *job)
{
        char *at = job->held.len > 0 ? strstr(job->held.buf, job->mark) : NULL;
        char *end = at ? strchr(at, '\n') : NULL;
        size_t place;

        if (!end)
                return SIZE_MAX;
        place = (size_t)(at - job->held.buf);
        job->no_folder |= starts_with(at + strlen(job->mark), "folder");
        memmove(at, end + 1, job->held.len - (size_t)(end + 1 - job->held.buf));
        strbuf_truncate(&job->held, job->held.len - (size_t)(end + 1 - at));
        job->marks++;
        return place;
}

/* What is held may be the beginning of the mark that is yet to come, so its last line stays. */
static void release(struct job *job, bool all)
{
        const char *end = job->held.len > 0 ? strrchr(job->held.buf, '\n') : NULL;
        size_t length = end ? (size_t)(end + 1 - job->held.buf) : 0;

        if (all || job->held.len - length > HELD_MOST)
                length = job->held.len;
        keep(job, job->held.buf, length);
        strbuf_consume(&job->held, length);
}

/*
 * Each of the command's two outputs has a line with the mark, and the command's own text after it. They come in any order. What
 * comes before the first mark is the login's; when there never is one, it says why, and is kept in the end.
 */
static void take(struct job *job, const char *data, size_t length)
{
        size_t place;

        if (job->marks == MARKS) {
                keep(job, data, length);
                return;
        }
        strbuf_add(&job->held, data, length);
        if (job->marks == 0) {
                place = take_mark(job);
                if (place != SIZE_MAX)
                        strbuf_consume(&job->held, place);
                else if (job->held.len > HELD_MOST)
                        strbuf_consume(&job->held, job->held.len - HELD_MOST);
        }
        if (job->marks > 0)
                release(job, take_mark(job) != SIZE_MAX);
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
        release(job, true);
        if (job->no_folder)
                keep(job, NO_FOLDER, strlen(NO_FOLDER));
        job->pid = 0;
        job->ended = true;
        job->status = process_exit_status(status);
        job->unreached = job->marks == 0 || job->no_folder;
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
        strbuf_clear(&job->held);
        free(job->mark);
        *job = (struct job)JOB_INIT;
}
