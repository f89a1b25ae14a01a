/* process_run() and process_check(): they feed a child, read what it says, and end it when it hits a limit. */
#include "lib/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/text.h"

#define DEFAULT_TIMEOUT_MS 60000
/* A killed child is gone at once, unless the kernel holds it. */
#define REAP_TIMEOUT_MS 10000
/* After SIGTERM, until SIGKILL. Enough for git to remove its locks; mmdebstrap would take half a minute. */
#define GRACE_MS         1000
#define WAIT_MS          5000 /* between two calls of on_wait */
#define LINE_LIMIT       4096
#define PIECE            (64 << 10)
#define ERROR_LINES      5
#define ERROR_LINE_LIMIT 400

struct stream {
        int fd;      /* our end of the pipe; -1 = not captured, or at its end */
        bool passes; /* what comes is not kept */
        struct strbuf kept;
        size_t cut; /* bytes left out of the middle of `kept` */
        struct strbuf line;
};

#define STREAM_INIT                                                                                                            \
        {                                                                                                                      \
                .fd = -1, .kept = STRBUF_INIT, .line = STRBUF_INIT                                                             \
        }

struct run {
        const struct process_spec *spec;
        pid_t pid;
        bool own_group;
        int process_fd;
        int input_fd;
        const char *next; /* the child's next input, `left` bytes; after it comes what `then_fd` gives */
        size_t left;
        int then_fd; /* the caller's; -1 = at its end */
        struct strbuf piece;
        struct stream out, err;
        deadline limit, quiet, wait; /* of all of it; of its silence; of the next call of on_wait */
        bool late;                   /* it was over its limit, and the caller wants to be told */
};

#define RUN_INIT                                                                                                               \
        {                                                                                                                      \
                .process_fd = -1, .input_fd = -1, .then_fd = -1, .piece = STRBUF_INIT, .out = STREAM_INIT, .err = STREAM_INIT  \
        }

static void stream_clear(struct stream *stream)
{
        closep(&stream->fd);
        strbuf_clear(&stream->kept);
        strbuf_clear(&stream->line);
}

static void run_clear(struct run *run)
{
        closep(&run->process_fd);
        closep(&run->input_fd);
        strbuf_clear(&run->piece);
        stream_clear(&run->out);
        stream_clear(&run->err);
}

static void emit_line(const struct process_spec *spec, struct strbuf *line)
{
        if (line->len > 0 && line->buf[line->len - 1] == '\r')
                strbuf_truncate(line, line->len - 1);
        spec->on_line(line->buf, spec->on_line_data);
        strbuf_reset(line);
}

static void split_lines(const struct process_spec *spec, struct stream *stream, const char *data, size_t length)
{
        while (length > 0) {
                const char *end = memchr(data, '\n', length);
                size_t part = end ? (size_t)(end - data) : length;
                size_t room = LINE_LIMIT - stream->line.len;

                strbuf_add(&stream->line, data, part < room ? part : room);
                if (end) {
                        emit_line(spec, &stream->line);
                        part++;
                }
                data += part;
                length -= part;
        }
}

static size_t limit_of(const struct process_spec *spec)
{
        return spec->output_limit > 0 ? spec->output_limit : PROCESS_OUTPUT_LIMIT;
}

/* Leaves out what is over the limit, after its first half. */
static void leave_out(struct stream *stream, size_t limit)
{
        size_t over = stream->kept.len > limit ? stream->kept.len - limit : 0;
        char *at = stream->kept.buf + limit / 2;

        if (over == 0)
                return;
        memmove(at, at + over, limit - limit / 2);
        strbuf_truncate(&stream->kept, limit);
        stream->cut += over;
}

/* Keeps a block of output. Where a limit is only told, it lets twice as much come together before it leaves some out, since the
 * rest has to be moved each time. */
static int keep(const struct process_spec *spec, struct stream *stream, const char *block, size_t length, struct error **err)
{
        size_t limit = limit_of(spec);

        if (!spec->tell_limits && length > limit - stream->kept.len)
                return error_set(err, ERROR_FAILED, "'%s' wrote more than %zu bytes", spec->argv[0], limit);
        strbuf_add(&stream->kept, block, length);
        if (spec->tell_limits && stream->kept.len > 2 * limit)
                leave_out(stream, limit);
        return 0;
}

/* Reads what one read(2) of at most `most` bytes gives. Returns how many bytes, 0 when there are none, -1 with an error. */
static ssize_t read_stream(const struct process_spec *spec, struct stream *stream, size_t most, struct error **err)
{
        char block[16 * 1024];
        ssize_t got = read(stream->fd, block, most < sizeof(block) ? most : sizeof(block));

        if (got < 0) {
                if (errno == EAGAIN || errno == EINTR)
                        return 0;
                return error_errno(err, ERROR_FAILED, "cannot read from '%s'", spec->argv[0]);
        }
        if (got == 0) {
                close(TAKE_FD(stream->fd));
                return 0;
        }
        if (!stream->passes && keep(spec, stream, block, (size_t)got, err) < 0)
                return -1;
        if (spec->on_line)
                split_lines(spec, stream, block, (size_t)got);
        return got;
}

/*
 * After the child's end: reads what is in the pipe now, and no more. A grandchild may hold the other end open, and write to it,
 * for as long as it likes.
 */
static int drain_stream(const struct process_spec *spec, struct stream *stream, struct error **err)
{
        int waiting = 0;

        if (stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &waiting) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read from '%s'", spec->argv[0]);
        while (waiting > 0 && stream->fd >= 0) {
                ssize_t got = read_stream(spec, stream, (size_t)waiting, err);

                if (got < 0)
                        return -1;
                waiting -= (int)got;
        }
        if (spec->on_line && stream->line.len > 0)
                emit_line(spec, &stream->line);
        return 0;
}

/* write(2) to a pipe whose reader may be gone, without the SIGPIPE. */
static ssize_t write_quietly(int fd, const void *data, size_t length)
{
        sigset_t pipe_set;
        sigset_t pending;
        sigset_t before;
        ssize_t written;
        int saved;

        sigemptyset(&pipe_set);
        sigaddset(&pipe_set, SIGPIPE);
        sigpending(&pending);
        pthread_sigmask(SIG_BLOCK, &pipe_set, &before);
        written = write(fd, data, length);
        saved = errno;
        if (written < 0 && saved == EPIPE && !sigismember(&pending, SIGPIPE)) {
                sigpending(&pending);
                if (sigismember(&pending, SIGPIPE))
                        sigwait(&pipe_set, &(int){ 0 });
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = saved;
        return written;
}

static void end_input_when_fed(struct run *run)
{
        if (run->input_fd >= 0 && run->left == 0 && run->then_fd < 0 && !run->spec->hold_input)
                close(TAKE_FD(run->input_fd));
}

static void feed(struct run *run)
{
        ssize_t written = write_quietly(run->input_fd, run->next, run->left);

        if (written > 0) {
                run->next += written;
                run->left -= (size_t)written;
        } else if (written == 0 || (errno != EAGAIN && errno != EINTR)) {
                /* A child may close its input early: only its exit status tells whether that is an error. */
                close(TAKE_FD(run->input_fd));
        }
}

static int fetch_piece(struct run *run, struct error **err)
{
        ssize_t got;

        strbuf_reset(&run->piece);
        strbuf_reserve(&run->piece, PIECE);
        got = read(run->then_fd, run->piece.buf, PIECE);
        if (got < 0)
                return errno == EAGAIN || errno == EINTR
                               ? 0
                               : error_errno(err, ERROR_FAILED, "cannot read the input for '%s'", run->spec->argv[0]);
        if (got == 0)
                run->then_fd = -1;
        run->next = run->piece.buf;
        run->left = (size_t)got;
        return 0;
}

/* Makes a pipe: our end in *ours, non-blocking; the child's end in *theirs. */
static int open_pipe(bool we_read, int *ours, int *theirs, struct error **err)
{
        int ends[2];

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        *ours = ends[we_read ? 0 : 1];
        *theirs = ends[we_read ? 1 : 0];
        /* Our stdin may have been closed when we started, and 0 means something else in a process_spec. */
        if (*theirs == 0) {
                *theirs = fcntl(*theirs, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
                close(0);
        }
        if (*theirs < 0 || fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        return 0;
}

/* Starts the child with a pipe for each stream that we feed or capture. */
static int run_start(struct run *run, struct error **err)
{
        struct process_spec spec = *run->spec;
        _cleanup_(closep) int child_in = -1;
        _cleanup_(closep) int child_out = -1;
        _cleanup_(closep) int child_err = -1;

        if (spec.input) {
                if (open_pipe(false, &run->input_fd, &child_in, err) < 0)
                        return -1;
                spec.stdin_fd = child_in;
        }
        if (spec.stdout_fd == 0) {
                if (open_pipe(true, &run->out.fd, &child_out, err) < 0)
                        return -1;
                spec.stdout_fd = child_out;
        }
        if (spec.stderr_fd == 0) {
                if (open_pipe(true, &run->err.fd, &child_err, err) < 0)
                        return -1;
                spec.stderr_fd = child_err;
        }
        spec.new_group = interrupt_is_caught() && spec.stdin_fd != PROCESS_INHERIT && !spec.may_ask;
        run->own_group = spec.new_session || spec.new_group;
        if (process_spawn(&spec, &run->pid, err) < 0)
                return -1;
        if (run->own_group)
                interrupt_add_group(run->pid);
        run->process_fd = os_process_fd(run->pid);
        return 0;
}

static int out_of_time(const struct run *run, const char *how, int ms, struct error **err)
{
        _cleanup_(freep) char *duration = text_format_duration(ms);

        error_set(err, ERROR_FAILED, "'%s' %s %s", run->spec->argv[0], how, duration);
        return error_passes(err, "it takes less time when this computer has less to do");
}

static deadline next_wait(const struct process_spec *spec)
{
        return deadline_in(spec->wait_ms > 0 ? spec->wait_ms : WAIT_MS);
}

static int check_limits(struct run *run, struct error **err)
{
        const struct process_spec *spec = run->spec;

        if (deadline_passed(run->limit))
                return out_of_time(run, "did not end within", spec->timeout_ms > 0 ? spec->timeout_ms : DEFAULT_TIMEOUT_MS,
                                   err);
        if (deadline_passed(run->quiet))
                return out_of_time(run, "has said nothing for", spec->quiet_ms, err);
        if (spec->on_wait && deadline_passed(run->wait)) {
                if (spec->on_wait(spec->on_wait_data, err) < 0)
                        return -1;
                run->wait = next_wait(spec);
        }
        return 0;
}

static deadline next_limit(const struct run *run)
{
        deadline next = run->limit < run->quiet ? run->limit : run->quiet;

        return run->spec->on_wait && run->wait < next ? run->wait : next;
}

static int check_interrupt(const struct process_spec *spec, struct error **err)
{
        return interrupt_check(err) < 0 ? error_wrap(err, "'%s'", spec->argv[0]) : 0;
}

/* 1 = the child has ended, or its time is up and that is only told; 0 = not yet, -1 = it must be stopped. */
static int run_round(struct run *run, struct error **err)
{
        const struct process_spec *spec = run->spec;
        enum { INPUT, THEN, OUT, ERR, END, INTERRUPT, COUNT };
        bool hungry = run->input_fd >= 0 && run->left == 0;
        struct pollfd polled[COUNT] = {
                /* poll(2) reports that the reader is gone without being asked. */
                [INPUT] = { .fd = run->input_fd, .events = hungry ? 0 : POLLOUT },
                [THEN] = { .fd = hungry ? run->then_fd : -1, .events = POLLIN },
                [OUT] = { .fd = run->out.fd, .events = POLLIN },
                [ERR] = { .fd = run->err.fd, .events = POLLIN },
                [END] = { .fd = run->process_fd, .events = POLLIN },
                [INTERRUPT] = { .fd = interrupt_fd(), .events = POLLIN },
        };

        run->late = spec->tell_limits && deadline_passed(run->limit);
        if (run->late)
                return 1;
        if (check_limits(run, err) < 0 || check_interrupt(run->spec, err) < 0)
                return -1;
        if (poll(polled, COUNT, deadline_left(next_limit(run))) < 0)
                return errno == EINTR ? 0 : error_errno(err, ERROR_FAILED, "cannot wait for '%s'", spec->argv[0]);
        if (polled[INPUT].revents)
                feed(run);
        if (polled[THEN].revents && fetch_piece(run, err) < 0)
                return -1;
        end_input_when_fed(run);
        if (spec->quiet_ms > 0 && (polled[OUT].revents || polled[ERR].revents))
                run->quiet = deadline_in(spec->quiet_ms);
        if (polled[OUT].revents && read_stream(spec, &run->out, SIZE_MAX, err) < 0)
                return -1;
        if (polled[ERR].revents && read_stream(spec, &run->err, SIZE_MAX, err) < 0)
                return -1;
        if (!polled[END].revents)
                return 0;
        return drain_stream(spec, &run->out, err) < 0 || drain_stream(spec, &run->err, err) < 0 ? -1 : 1;
}

/* One that was not at fault may put its own things in order. It is not reaped, so that its group's number stays its own. */
static void ask_to_end(const struct run *run, pid_t whom)
{
        struct pollfd ended = { .fd = run->process_fd, .events = POLLIN };
        deadline limit = deadline_in(GRACE_MS);

        kill(whom, SIGTERM);
        while (poll(&ended, 1, deadline_left(limit)) < 0 && errno == EINTR)
                ;
}

static void run_kill(const struct run *run)
{
        pid_t whom = run->own_group ? -run->pid : run->pid;

        if (interrupt_pending())
                ask_to_end(run, whom);
        /* Until it is reaped, the pid is the child's and nobody else's. */
        kill(whom, SIGKILL);
        if (run->own_group)
                interrupt_forget_group(run->pid);
        process_wait(run->pid, REAP_TIMEOUT_MS, NULL, NULL);
}

/* The child has ended, or its time is up: reaps it. */
static int run_end(struct run *run, int *status, struct error **err)
{
        if (run->late) {
                run_kill(run);
                *status = SIGKILL;
                return drain_stream(run->spec, &run->out, err) < 0 ? -1 : drain_stream(run->spec, &run->err, err);
        }
        if (run->own_group)
                interrupt_forget_group(run->pid);
        return process_wait(run->pid, REAP_TIMEOUT_MS, status, err) < 0 ? -1 : 0;
}

/* Hands out what the child has said. */
static void give(struct run *run, int status, struct process_result *result)
{
        if (run->spec->tell_limits) {
                leave_out(&run->out, limit_of(run->spec));
                leave_out(&run->err, limit_of(run->spec));
        }
        process_result_clear(result);
        *result = (struct process_result){ .status = status,
                                           .out = run->out.kept,
                                           .err = run->err.kept,
                                           .out_cut = run->out.cut,
                                           .err_cut = run->err.cut,
                                           .late = run->late };
        run->out.kept = (struct strbuf)STRBUF_INIT;
        run->err.kept = (struct strbuf)STRBUF_INIT;
}

int process_run(const struct process_spec *spec, struct process_result *result, struct error **err)
{
        _cleanup_(run_clear) struct run run = RUN_INIT;
        int ended = 0;
        int status = 0;

        if (check_interrupt(spec, err) < 0)
                return -1;
        run.spec = spec;
        run.limit = deadline_in(spec->timeout_ms != 0 ? spec->timeout_ms : DEFAULT_TIMEOUT_MS);
        run.quiet = spec->quiet_ms > 0 ? deadline_in(spec->quiet_ms) : DEADLINE_NEVER;
        run.wait = next_wait(spec);
        run.next = spec->input;
        run.left = spec->input_length;
        run.then_fd = spec->then_fd > 0 ? spec->then_fd : -1;
        run.out.passes = spec->lines_only && spec->on_line;
        if (run_start(&run, err) < 0)
                return -1;
        if (run.process_fd < 0)
                ended = error_errno(err, ERROR_FAILED, "cannot wait for '%s'", spec->argv[0]);
        end_input_when_fed(&run);
        while (ended == 0)
                ended = run_round(&run, err);
        if (ended < 0) {
                run_kill(&run);
                return -1;
        }
        if (run_end(&run, &status, err) < 0)
                return -1;
        if (result)
                give(&run, status, result);
        return 0;
}

void process_result_clear(struct process_result *result)
{
        if (!result)
                return;
        strbuf_clear(&result->out);
        strbuf_clear(&result->err);
        *result = (struct process_result)PROCESS_RESULT_INIT;
}

/* "git ls-remote": the program, and the command it was given where there is one. Owned by the caller. */
static char *command_name(const char *const *argv)
{
        static const char word[] = "abcdefghijklmnopqrstuvwxyz-";

        if (argv[1] && argv[1][0] != '\0' && argv[1][0] != '-' && argv[1][strspn(argv[1], word)] == '\0')
                return xasprintf("%s %s", argv[0], argv[1]);
        return xstrdup(argv[0]);
}

void process_quote(struct strbuf *out, const struct strbuf *text)
{
        const char *lines[ERROR_LINES];
        size_t lengths[ERROR_LINES];
        size_t count = 0;
        size_t end = text->len;

        while (end > 0 && count < ERROR_LINES) {
                size_t begin = end;

                while (begin > 0 && text->buf[begin - 1] != '\n')
                        begin--;
                lengths[count] = end - begin;
                lines[count] = text_shown(text->buf + begin, &lengths[count], " \t\r");
                if (lengths[count] > 0)
                        count++;
                end = begin > 0 ? begin - 1 : 0;
        }
        for (size_t i = count; i-- > 0;) {
                size_t shown = lengths[i] < ERROR_LINE_LIMIT ? lengths[i] : ERROR_LINE_LIMIT;

                while (shown < lengths[i] && shown > 0 && ((unsigned char)lines[i][shown] & 0xC0) == 0x80)
                        shown--;
                text_visible(out, lines[i], shown);
                strbuf_adds(out, shown < lengths[i] ? "…" : "");
                strbuf_adds(out, i > 0 ? "; " : "");
        }
}

int process_check(const struct process_spec *spec, struct strbuf *out, struct error **err)
{
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *name = NULL;
        _cleanup_(freep) char *status = NULL;

        if (process_run(spec, &result, err) < 0)
                return -1;
        if (result.status == 0) {
                if (out)
                        strbuf_add(out, result.out.buf, result.out.len);
                return 0;
        }
        name = command_name(spec->argv);
        status = process_status_text(result.status);
        process_quote(&said, &result.err);
        return error_set(err, ERROR_FAILED, "'%s' failed with %s%s%s", name, status, said.len > 0 ? ": " : "", said.buf);
}
