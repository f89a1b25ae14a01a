#include "qemu/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "lib/lock.h"
#include "lib/os.h"
#include "lib/said.h"
#include "lib/text.h"
#include "qemu/agent-protocol.h"
#include "qemu/socket.h"
#include "vm/progress.h"

/* Nothing tells us when a program in the guest has ended. So we ask, at short intervals at first */
#define LOOK_MS         2
#define LOOK_LONGEST_MS 100
#define WHOLE_TIMES     10
#define DRAINED_MOST    16 /* reads: as much as a pipe holds */

struct agent {
        struct lock in; /* the pipe that QEMU reads; non-blocking */
        int out;        /* the one it writes to; non-blocking */
        struct agent_protocol protocol;
};

char *agent_pipe_in(const char *path)
{
        return xasprintf("%s.in", path);
}

char *agent_pipe_out(const char *path)
{
        return xasprintf("%s.out", path);
}

void agent_free(struct agent *agent)
{
        if (!agent)
                return;
        lock_release(&agent->in);
        closep(&agent->out);
        agent_protocol_clear(&agent->protocol);
        free(agent);
}

void agent_freep(struct agent **agent)
{
        agent_free(*agent);
}

/* A QEMU that was taken over can't put another file in the place of a pipe, but a person or a program can. */
static int check_pipe(const char *path, struct error **err)
{
        struct stat status;

        if (lstat(path, &status) < 0)
                return error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot open the pipe '%s'", path);
        return S_ISFIFO(status.st_mode) ? 0 : error_set(err, ERROR_ENGINE, "'%s' is not a pipe", path);
}

/* Drops what came for an earlier caller that didn't wait for it. */
static void drain(int fd)
{
        char block[16 << 10];

        for (int i = 0; i < DRAINED_MOST && read(fd, block, sizeof(block)) > 0; i++)
                ;
}

int agent_connect(const char *path, deadline limit, struct agent **out, struct error **err)
{
        _cleanup_(agent_freep) struct agent *agent = xcalloc(1, sizeof(*agent));
        _cleanup_(freep) char *in_path = agent_pipe_in(path);
        _cleanup_(freep) char *out_path = agent_pipe_out(path);

        *agent = (struct agent){ .in = LOCK_INIT, .out = -1, .protocol = AGENT_PROTOCOL_INIT };
        if (check_pipe(in_path, err) < 0 || check_pipe(out_path, err) < 0 ||
            lock_acquire(&agent->in, in_path, LOCK_EXCLUSIVE, deadline_left(limit), err) < 0)
                return -1;
        agent->out = open(out_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (agent->out < 0 || fcntl(agent->in.fd, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_ENGINE, "cannot open the pipe '%s'", out_path);
        drain(agent->out);
        *out = TAKE_PTR(agent);
        return 0;
}

static int receive(struct agent *agent, deadline limit, struct error **err)
{
        char block[16 << 10];

        for (;;) {
                ssize_t got = read(agent->out, block, sizeof(block));

                if (got > 0)
                        return agent_protocol_feed(&agent->protocol, block, (size_t)got, err);
                if (got == 0)
                        return error_set(err, ERROR_ENGINE, "QEMU has ended");
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_errno(err, ERROR_ENGINE, "cannot read from the guest agent");
                switch (socket_wait(agent->out, POLLIN, limit, err)) {
                case 0:
                        error_set(err, ERROR_ENGINE, "the guest agent did not answer in time");
                        return error_passes(err, "a guest that is busy may answer then");
                case -1:
                        return -1;
                }
        }
}

/* What doesn't fit waits for QEMU to read, and QEMU for the guest's agent. */
static int send_line(struct agent *agent, const struct strbuf *line, deadline limit, struct error **err)
{
        for (size_t done = 0; done < line->len;) {
                ssize_t written = write(agent->in.fd, line->buf + done, line->len - done);
                int ready;

                if (written > 0)
                        done += (size_t)written;
                if (written >= 0 || errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_errno(err, ERROR_ENGINE, "cannot write to the guest agent");
                ready = socket_wait(agent->in.fd, POLLOUT, limit, err);
                if (ready <= 0)
                        return ready < 0 ? -1 : error_set(err, ERROR_ENGINE, "the guest agent does not read");
        }
        return 0;
}

static int sync_up(struct agent *agent, deadline limit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        agent_protocol_sync(&agent->protocol, 1 + (int64_t)randombytes_uniform(INT32_MAX), &line);
        if (send_line(agent, &line, limit, err) < 0)
                return -1;
        while (agent->protocol.state == AGENT_SYNCING) {
                if (receive(agent, limit, err) < 0 || agent_protocol_next(&agent->protocol, NULL, err) < 0)
                        return -1;
        }
        return 0;
}

int agent_tell(struct agent *agent, const char *command, json_t *arguments, deadline limit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        if (agent->protocol.state != AGENT_READY && sync_up(agent, limit, err) < 0)
                return -1;
        if (agent_protocol_command(&agent->protocol, command, arguments, &line, err) < 0)
                return -1;
        return send_line(agent, &line, limit, err);
}

static int await(struct agent *agent, deadline limit, json_t **reply, struct error **err)
{
        for (;;) {
                int got = agent_protocol_next(&agent->protocol, reply, err);

                if (got != 0)
                        return got;
                if (receive(agent, limit, err) < 0)
                        return -1;
        }
}

int agent_call(struct agent *agent, const char *command, json_t *arguments, deadline limit, json_t **reply, struct error **err)
{
        _cleanup_(json_decrefp) json_t *answer = NULL;

        if (agent_tell(agent, command, arguments, limit, err) < 0)
                return -1;
        if (await(agent, limit, &answer, err) < 0) {
                /* A late answer would be taken for the next command's. */
                if (agent->protocol.state == AGENT_READY)
                        agent->protocol.state = AGENT_UNSYNCED;
                return -1;
        }
        if (reply)
                *reply = TAKE_PTR(answer);
        return 0;
}

/* --- a program in the guest */

static int begin(struct agent *agent, const char *const *argv, const struct strbuf *input, deadline limit, int64_t *pid,
                 struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s, s:b}", "path", argv[0], "capture-output", 1);
        _cleanup_(json_decrefp) json_t *reply = NULL;
        json_t *words = json_array();

        json_object_set_new(arguments, "arg", words);
        for (size_t i = 1; argv[i]; i++)
                json_array_append_new(words, json_string(argv[i]));
        if (input) {
                _cleanup_(freep) char *encoded = text_base64(input->buf, input->len);

                json_object_set_new(arguments, "input-data", json_string(encoded));
        }
        if (agent_call(agent, "guest-exec", arguments, limit, &reply, err) < 0)
                return -1;
        return json_get_int(reply, "pid", pid, err);
}

/* Appends what it wrote to one of its streams. */
static void add_said(struct strbuf *out, const json_t *reply, const char *key)
{
        const char *encoded = json_string_value(json_object_get(reply, key));
        size_t length = encoded ? strlen(encoded) : 0;
        _cleanup_(freep) unsigned char *said = xmalloc(length + 1);
        size_t got = 0;

        if (!encoded || sodium_base642bin(said, length, encoded, length, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) < 0)
                return;
        strbuf_add(out, said, got);
}

static int judge(const char *program, const json_t *reply, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *why = NULL;
        int64_t status = -1;

        if (json_get_int(reply, "exitcode", &status, NULL) == 0 && status == 0)
                return 0;
        add_said(&said, reply, "err-data");
        if (said.len == 0)
                add_said(&said, reply, "out-data");
        why = said_why(said.buf, said.len);
        return error_set(err, ERROR_ENGINE, "'%s' failed in the guest with status %jd: %s", program, (intmax_t)status,
                         *why ? why : "no reason given");
}

/* Fails when nothing has moved for too long. */
static int check_progress(const char *program, pid_t qemu, struct progress *progress, struct error **err)
{
        _cleanup_(freep) char *text = NULL;

        if (now_ms() - progress->looked >= progress_pause_ms(progress))
                progress_look(progress, qemu, now_ms());
        if (!progress_is_over(progress, now_ms()))
                return 0;
        text = progress_text(progress, now_ms());
        error_set(err, ERROR_ENGINE, "'%s' did not end in the guest %s", program, text);
        return error_passes(err, "it takes less time when this computer has less to do");
}

int agent_run(struct agent *agent, const char *const *argv, const struct strbuf *input, pid_t qemu, int quiet_ms,
              struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments = NULL;
        struct progress progress;
        int pause = LOOK_MS;
        int64_t pid;

        progress_begin(&progress, quiet_ms, WHOLE_TIMES * quiet_ms, now_ms());
        if (begin(agent, argv, input, deadline_in(quiet_ms), &pid, err) < 0)
                return -1;
        arguments = json_pack("{s:I}", "pid", (json_int_t)pid);
        for (;;) {
                _cleanup_(json_decrefp) json_t *reply = NULL;
                bool ended;

                if (agent_call(agent, "guest-exec-status", arguments, deadline_in(quiet_ms), &reply, err) < 0 ||
                    json_get_bool(reply, "exited", &ended, err) < 0)
                        return -1;
                if (ended)
                        return judge(argv[0], reply, err);
                if (interrupt_check(err) < 0 || check_progress(argv[0], qemu, &progress, err) < 0)
                        return -1;
                poll(&(struct pollfd){ .fd = interrupt_fd(), .events = POLLIN }, 1, pause);
                pause = pause * 2 < LOOK_LONGEST_MS ? pause * 2 : LOOK_LONGEST_MS;
        }
}
