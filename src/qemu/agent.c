#include "qemu/agent.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/text.h"
#include "qemu/agent-protocol.h"
#include "qemu/socket.h"
#include "vm/progress.h"

/* Nothing tells us when a program in the guest has ended. So we ask, at short intervals at first */
#define LOOK_MS         2
#define LOOK_LONGEST_MS 100
#define SAID_MOST       2000
#define WHOLE_TIMES     10

struct agent {
        int fd;
        struct agent_protocol protocol;
};

void agent_free(struct agent *agent)
{
        if (!agent)
                return;
        closep(&agent->fd);
        agent_protocol_clear(&agent->protocol);
        free(agent);
}

void agent_freep(struct agent **agent)
{
        agent_free(*agent);
}

int agent_connect(const char *path, deadline limit, struct agent **out, struct error **err)
{
        _cleanup_(agent_freep) struct agent *agent = xcalloc(1, sizeof(*agent));

        *agent = (struct agent){ .fd = -1, .protocol = AGENT_PROTOCOL_INIT };
        if (socket_connect(path, limit, &agent->fd, err) < 0)
                return -1;
        *out = TAKE_PTR(agent);
        return 0;
}

static int receive(struct agent *agent, deadline limit, struct error **err)
{
        char block[16 << 10];

        for (;;) {
                ssize_t got = recv(agent->fd, block, sizeof(block), 0);

                if (got > 0)
                        return agent_protocol_feed(&agent->protocol, block, (size_t)got, err);
                if (got == 0 || errno == ECONNRESET)
                        return error_set(err, ERROR_ENGINE, "QEMU has ended");
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return error_errno(err, ERROR_ENGINE, "cannot read from the guest agent");
                switch (socket_wait(agent->fd, POLLIN, limit, err)) {
                case 0:
                        return error_set(err, ERROR_ENGINE, "the guest agent did not answer in time");
                case -1:
                        return -1;
                }
        }
}

static int sync_up(struct agent *agent, deadline limit, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        agent_protocol_sync(&agent->protocol, 1 + (int64_t)randombytes_uniform(INT32_MAX), &line);
        if (socket_send(agent->fd, line.buf, line.len, limit, err) < 0)
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
        return socket_send(agent->fd, line.buf, line.len, limit, err);
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

/* Appends what it wrote to one of its streams, made visible and cut short. */
static void add_said(struct strbuf *out, const json_t *reply, const char *key)
{
        const char *encoded = json_string_value(json_object_get(reply, key));
        size_t length = encoded ? strlen(encoded) : 0;
        _cleanup_(freep) unsigned char *said = xmalloc(length + 1);
        size_t got = 0;

        if (!encoded || sodium_base642bin(said, length, encoded, length, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) < 0)
                return;
        text_visible(out, (const char *)said, got < SAID_MOST ? got : SAID_MOST);
}

static int judge(const char *program, const json_t *reply, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        int64_t status = -1;

        if (json_get_int(reply, "exitcode", &status, NULL) == 0 && status == 0)
                return 0;
        add_said(&said, reply, "err-data");
        if (said.len == 0)
                add_said(&said, reply, "out-data");
        return error_set(err, ERROR_ENGINE, "'%s' failed in the guest with status %jd: %s", program, (intmax_t)status,
                         said.len > 0 ? said.buf : "no reason given");
}

/* Fails when nothing has moved for too long. */
static int check_progress(const struct agent *agent, const char *program, struct progress *progress, struct error **err)
{
        _cleanup_(freep) char *text = NULL;
        pid_t qemu = 0;
        uid_t user;

        if (now_ms() - progress->looked >= progress_pause_ms(progress))
                progress_look(progress, os_peer_pid(agent->fd, &qemu, &user) < 0 ? 0 : qemu, now_ms());
        if (!progress_is_over(progress, now_ms()))
                return 0;
        text = progress_text(progress, now_ms());
        return error_set(err, ERROR_ENGINE, "'%s' did not end in the guest %s", program, text);
}

int agent_run(struct agent *agent, const char *const *argv, const struct strbuf *input, int quiet_ms, struct error **err)
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
                if (check_progress(agent, argv[0], &progress, err) < 0)
                        return -1;
                poll(NULL, 0, pause);
                pause = pause * 2 < LOOK_LONGEST_MS ? pause * 2 : LOOK_LONGEST_MS;
        }
}
