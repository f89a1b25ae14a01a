#include "net/control.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os.h"
#include "net/message.h"

#define REQUEST_MS 5000

static bool option_is(int fd, int option, int wanted)
{
        int value = 0;
        socklen_t length = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 && value == wanted;
}

int control_open(struct control *control, int listener, struct error **err)
{
        if (!option_is(listener, SO_DOMAIN, AF_UNIX) || !option_is(listener, SO_TYPE, SOCK_SEQPACKET) ||
            !option_is(listener, SO_ACCEPTCONN, 1))
                return error_set(err, ERROR_USAGE, "descriptor %d is not a listening socket for messages", listener);
        if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot set up descriptor %d", listener);
        control->listener = listener;
        return 0;
}

/* Is it a connected stream, as QEMU's end of the wire is? */
static bool is_wire(int fd)
{
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);

        return option_is(fd, SO_DOMAIN, AF_UNIX) && option_is(fd, SO_TYPE, SOCK_STREAM) &&
               getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

int control_fd(const struct control *control)
{
        return control->client >= 0 ? control->client : control->listener;
}

deadline control_due(const struct control *control)
{
        return control->client >= 0 ? control->until : DEADLINE_NEVER;
}

static void drop_client(struct control *control)
{
        closep(&control->client);
        control->client = -1;
}

void control_answer(struct control *control, const struct net_reply *reply)
{
        if (control->client >= 0)
                (void)message_send(control->client, reply, sizeof(*reply), -1);
        drop_client(control);
}

static enum control_word refuse(struct control *control, int reason)
{
        control_answer(control, &(struct net_reply){ .status = (uint32_t)reason });
        return CONTROL_NONE;
}

static bool accept_client(struct control *control)
{
        control->client = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        control->until = deadline_in(REQUEST_MS);
        return control->client >= 0;
}

static bool is_allowed(const struct control *control)
{
        uid_t uid;
        pid_t pid;

        return os_peer_pid(control->client, &pid, &uid) == 0 && (uid == geteuid() || uid == 0);
}

static enum control_word find_word(const struct net_request *request)
{
        static const struct {
                enum control_word word;
                char text[sizeof(request->word)];
        } words[] = { { CONTROL_HOLD, "hold" }, { CONTROL_GO, "go" }, { CONTROL_LOOK, "look" } };

        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (memcmp(words[i].text, request->word, sizeof(request->word)) == 0)
                        return words[i].word;
        return CONTROL_NONE;
}

enum control_word control_take(struct control *control, int *wire)
{
        _cleanup_(closep) int passed = -1;
        struct net_request request = { 0 };
        enum control_word word;
        ssize_t length;

        *wire = -1;
        if (control->client < 0 && !accept_client(control))
                return CONTROL_NONE;
        length = message_receive(control->client, &request, sizeof(request), &passed);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
                if (deadline_passed(control->until))
                        drop_client(control);
                return CONTROL_NONE;
        }
        /* Not before there is a request: an answer to a question that is still on its way could be lost. */
        if (!is_allowed(control))
                return refuse(control, EPERM);
        word = length == (ssize_t)sizeof(request) ? find_word(&request) : CONTROL_NONE;
        if (word == CONTROL_NONE)
                return refuse(control, EBADMSG);
        if (passed >= 0 && (word != CONTROL_GO || !is_wire(passed)))
                return refuse(control, EINVAL);
        *wire = TAKE_FD(passed);
        return word;
}
