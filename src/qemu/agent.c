#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent-protocol.h"
#include "socket.h"

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
                        return error_set(err, ERROR_ENGINE, "the guest agent gave no answer in time");
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
