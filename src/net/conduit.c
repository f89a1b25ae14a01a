#include "net/conduit.h"

#include <errno.h>

#include "lib/deadline.h"
#include "net/kernel.h"
#include "net/stream.h"

#define PORT_TLS   443
#define UDP_HEADER 8

enum kind {
        LISTENING, /* for connections through a forward */
        INCOMING,  /* through a forward */
        OUTGOING,
        ASKING, /* the resolver, by UDP */
        CUT,    /* by us; libslirp doesn't know yet */
};

struct connection {
        enum kind kind;
        bool read_end; /* by libslirp, which reads no more */
        bool ending;   /* the guest sends no more; the far end is told once all settled bytes have left */
        struct flow flow;
        struct stream stream;
        size_t held; /* its part of conduit.held and conduit.waiting */
        bool waiting;
};

static struct {
        struct conduit_settings settings;
        const struct packet *packet;     /* the one that libslirp is being given */
        struct connection **connections; /* by descriptor; NULL = none */
        int room;                        /* entries of `connections` */
        size_t held;                     /* bytes of room in all streams */
        bool refused;                    /* the packet has just led to a refusal */
        int waiting;                     /* connections with settled bytes that wait for the kernel */
} conduit;

/* --- the table */

static struct connection *find(int fd)
{
        return fd >= 0 && fd < conduit.room ? conduit.connections[fd] : NULL;
}

static bool is_waiting(const struct connection *connection)
{
        return connection->stream.settled > 0;
}

/* Called after every change to a stream. */
static void count(struct connection *connection)
{
        conduit.held += connection->stream.room - connection->held;
        connection->held = connection->stream.room;
        conduit.waiting += is_waiting(connection) - connection->waiting;
        connection->waiting = is_waiting(connection);
}

static void drop_stream(struct connection *connection)
{
        stream_clear(&connection->stream);
        count(connection);
}

/* Called with every change of a kind. */
static void count_open(enum kind kind, int change)
{
        if (kind == INCOMING || kind == OUTGOING)
                traffic_opened(conduit.settings.traffic, kind == INCOMING, change);
}

static void forget(int fd)
{
        struct connection *connection = find(fd);

        if (!connection)
                return;
        drop_stream(connection);
        count_open(connection->kind, -1);
        free(connection);
        conduit.connections[fd] = NULL;
}

static struct connection *keep(int fd, enum kind kind)
{
        forget(fd);
        if (fd >= conduit.room) {
                int room = fd + 64;

                conduit.connections = xreallocarray(conduit.connections, (size_t)room, sizeof(*conduit.connections));
                memset(conduit.connections + conduit.room, 0, (size_t)(room - conduit.room) * sizeof(*conduit.connections));
                conduit.room = room;
        }
        conduit.connections[fd] = xcalloc(1, sizeof(**conduit.connections));
        conduit.connections[fd]->kind = kind;
        count_open(kind, 1);
        return conduit.connections[fd];
}

void conduit_open(const struct conduit_settings *settings)
{
        conduit_close_all();
        conduit.settings = *settings;
        settings->traffic->near_open = settings->traffic->far_open = 0;
}

void conduit_close_all(void)
{
        for (int fd = 0; fd < conduit.room; fd++)
                forget(fd);
        free(conduit.connections);
        conduit.connections = NULL;
        conduit.room = 0;
}

void conduit_frame(const struct packet *packet)
{
        conduit.packet = packet;
        conduit.refused = false;
}

bool conduit_refused(void)
{
        return conduit.refused;
}

size_t conduit_held(void)
{
        return conduit.held;
}

static int fail(int error)
{
        errno = error;
        return -1;
}

/* --- refusing */

static void say(const struct flow *flow, const char *name, const char *reason)
{
        log_egress(conduit.settings.log, &flow->target, name, reason);
}

/* Resets the far end. libslirp's socket is dead from now on, as its next call finds. */
static void cut(int fd, struct connection *connection)
{
        const struct sockaddr none = { .sa_family = AF_UNSPEC };

        count_open(connection->kind, -1);
        connection->kind = CUT;
        drop_stream(connection);
        if (kernel_connect(fd, &none, sizeof(none)) < 0)
                (void)kernel_shutdown(fd, SHUT_RDWR);
}

/*
 * Marks the current frame as refused if it belongs to this connection, so that the guest gets an answer: libslirp doesn't look
 * at a socket after it has read its end.
 */
static int fail_for_guest(const struct connection *connection)
{
        const struct packet *packet = conduit.packet;

        conduit.refused = packet && packet->protocol == IPPROTO_TCP &&
                          packet->destination.s_addr == connection->flow.target.address.s_addr &&
                          packet->destination_port == connection->flow.target.port;
        return fail(ECONNRESET);
}

static int refuse(int fd, struct connection *connection, const char *name, const char *reason)
{
        egress_refused(conduit.settings.egress, &connection->flow.target, name, reason);
        say(&connection->flow, name, reason);
        cut(fd, connection);
        return fail_for_guest(connection);
}

void conduit_judge_again(void)
{
        for (int fd = 0; fd < conduit.room; fd++) {
                struct connection *connection = conduit.connections[fd];

                if (!connection || connection->kind != OUTGOING || egress_goes_on(conduit.settings.egress, &connection->flow))
                        continue;
                say(&connection->flow, connection->flow.name, "address");
                cut(fd, connection);
        }
}

void conduit_cut_all(void)
{
        for (int fd = 0; fd < conduit.room; fd++)
                if (conduit.connections[fd] && conduit.connections[fd]->kind == OUTGOING)
                        cut(fd, conduit.connections[fd]);
}

/* --- making connections */

/* Is this the destination of the frame that libslirp is being given? */
static bool is_judged_place(uint8_t protocol, const struct sockaddr *address, socklen_t length)
{
        const struct packet *packet = conduit.packet;
        struct sockaddr_in to;

        if (!packet || packet->protocol != protocol || !address || length < sizeof(to) || address->sa_family != AF_INET)
                return false;
        memcpy(&to, address, sizeof(to));
        if (protocol != IPPROTO_ICMP && ntohs(to.sin_port) != packet->destination_port)
                return false;
        return to.sin_addr.s_addr == packet->destination.s_addr;
}

static bool is_dns(const struct packet *packet)
{
        return ntohl(packet->destination.s_addr) == conduit.settings.egress->network->dns;
}

static struct sockaddr_in resolver(void)
{
        return (struct sockaddr_in){
                .sin_family = AF_INET,
                .sin_addr.s_addr = __atomic_load_n(&conduit.settings.resolver->s_addr, __ATOMIC_RELAXED),
                .sin_port = htons(NETWORK_PORT_DNS),
        };
}

static int connect_to_resolver(int fd)
{
        const struct sockaddr_in to = resolver();

        if (to.sin_addr.s_addr == INADDR_ANY)
                return fail(ENETUNREACH);
        return kernel_connect(fd, (const struct sockaddr *)&to, sizeof(to));
}

int conduit_connect(int fd, const struct sockaddr *address, socklen_t length)
{
        struct connection *connection;
        struct flow flow = { 0 };

        /* Not ECONNREFUSED: on that, libslirp frees the packet twice. */
        if (!is_judged_place(IPPROTO_TCP, address, length))
                return fail(EHOSTUNREACH);
        flow.target = packet_target(conduit.packet);
        if (is_dns(conduit.packet)) {
                keep(fd, OUTGOING)->flow = flow;
                return connect_to_resolver(fd);
        }
        if (!egress_begin(conduit.settings.egress, &flow.target, &flow))
                return fail(EHOSTUNREACH);
        connection = keep(fd, OUTGOING);
        connection->flow = flow;
        if (flow.watched)
                connection->stream.watch = flow.target.port == PORT_TLS ? STREAM_TLS : STREAM_HTTP;
        return kernel_connect(fd, address, length);
}

int conduit_accept(int fd, struct sockaddr *address, socklen_t *length)
{
        int accepted = kernel_accept(fd, address, length);

        if (accepted >= 0)
                keep(accepted, INCOMING);
        return accepted;
}

void conduit_keep_listener(int fd)
{
        keep(fd, LISTENING);
}

static enum conduit_side side_of(const struct connection *connection)
{
        if (!connection || (connection->kind != INCOMING && connection->kind != OUTGOING))
                return CONDUIT_NEITHER;
        return connection->kind == INCOMING ? CONDUIT_NEAR : CONDUIT_FAR;
}

enum conduit_side conduit_side(int fd)
{
        return side_of(find(fd));
}

void conduit_add_readers(enum conduit_side side, void (*add)(int fd, void *data), void *data)
{
        for (int fd = 0; fd < conduit.room; fd++) {
                const struct connection *connection = conduit.connections[fd];

                if (!connection || connection->read_end)
                        continue;
                if (side_of(connection) == side || (connection->kind == LISTENING && side == CONDUIT_NEAR))
                        add(fd, data);
        }
}

/* --- sending */

static void note_moved(const struct connection *connection, ssize_t count)
{
        if (count > 0)
                traffic_moved(conduit.settings.traffic, connection->kind == INCOMING, (uint64_t)count, now_ms());
}

static ssize_t send_bytes(int fd, const struct connection *connection, const void *data, size_t length)
{
        ssize_t sent = kernel_send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent > 0)
                egress_bytes(conduit.settings.egress, &connection->flow, (uint64_t)sent, 0);
        note_moved(connection, sent);
        return sent;
}

/* Sends what is settled. Returns 0 when all of it has left; -1 with EAGAIN, or when the connection is dead. */
static int flush(int fd, struct connection *connection)
{
        const uint8_t *data;
        size_t length = stream_settled(&connection->stream, &data);
        ssize_t sent = length > 0 ? send_bytes(fd, connection, data, length) : 0;

        if (sent > 0) {
                stream_sent(&connection->stream, (size_t)sent);
                count(connection);
        } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                int error = errno;

                drop_stream(connection);
                return fail(error);
        }
        if (is_waiting(connection))
                return fail(EAGAIN);
        if (connection->ending)
                (void)kernel_shutdown(fd, SHUT_WR);
        return 0;
}

/* Judges what is held, as far as it can be read. Returns -1 when the connection was refused. */
static int judge(int fd, struct connection *connection)
{
        char name[EGRESS_NAME_MOST + 1] = "";
        const char *reason = NULL;
        enum stream_step step = stream_go_on(&connection->stream, name, &reason);

        while (step == STREAM_SHOWN) {
                if (!egress_show(conduit.settings.egress, &connection->flow, name))
                        return refuse(fd, connection, name, connection->flow.target.port == PORT_TLS ? "sni" : "host-header");
                step = stream_go_on(&connection->stream, name, &reason);
        }
        return step == STREAM_REFUSE ? refuse(fd, connection, name, reason) : 0;
}

static ssize_t hold(int fd, struct connection *connection, const void *data, size_t length)
{
        size_t taken;
        int status;

        if (stream_needs(&connection->stream, length) > conduit.settings.held_most - conduit.held)
                return refuse(fd, connection, connection->flow.name, "held-too-much");
        taken = stream_take(&connection->stream, data, length);
        status = judge(fd, connection);
        count(connection);
        if (status < 0)
                return fail(ECONNRESET);
        /* What the kernel doesn't take now leaves when there is room: conduit_flush(). */
        if (flush(fd, connection) < 0 && errno != EAGAIN)
                return -1;
        return (ssize_t)taken;
}

static ssize_t send_watched(int fd, struct connection *connection, const void *data, size_t length)
{
        size_t passing;
        ssize_t sent;

        /* Bytes taken before go first. Until then the guest waits: libslirp keeps what it has, and its window closes. */
        if (flush(fd, connection) < 0)
                return -1;
        passing = stream_free(&connection->stream, length);
        if (passing == 0)
                return hold(fd, connection, data, length);
        sent = send_bytes(fd, connection, data, passing);
        if (sent > 0)
                stream_passed(&connection->stream, (size_t)sent);
        return sent;
}

ssize_t conduit_send(int fd, const void *data, size_t length, int flags)
{
        struct connection *connection = find(fd);

        if (!connection || connection->kind == ASKING || connection->kind == LISTENING)
                return fail(ECONNRESET);
        if (connection->kind == CUT)
                return fail_for_guest(connection);
        /* The far end may take such a byte out of the stream, and then reads another stream than we did. */
        if ((flags & MSG_OOB) != 0) {
                if (connection->kind == OUTGOING)
                        return refuse(fd, connection, connection->flow.name, "urgent");
                cut(fd, connection);
                return fail(ECONNRESET);
        }
        /* With a length of 0, libslirp asks whether the connection is made. */
        if (length == 0)
                return kernel_send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (connection->flow.watched)
                return send_watched(fd, connection, data, length);
        return send_bytes(fd, connection, data, length);
}

void conduit_add_polls(void (*add)(int fd, void *data), void *data)
{
        for (int fd = 0; conduit.waiting > 0 && fd < conduit.room; fd++)
                if (conduit.connections[fd] && is_waiting(conduit.connections[fd]))
                        add(fd, data);
}

void conduit_flush(void)
{
        for (int fd = 0; conduit.waiting > 0 && fd < conduit.room; fd++)
                if (conduit.connections[fd] && is_waiting(conduit.connections[fd]))
                        (void)flush(fd, conduit.connections[fd]);
}

/* --- datagrams */

static const uint8_t *payload_of(const struct packet *packet, size_t *length)
{
        size_t header = packet->protocol == IPPROTO_UDP ? UDP_HEADER : 0;

        *length = packet->data_length - header;
        return packet->data + header;
}

/* Connects the socket, so that the kernel takes answers only from the resolver. */
static ssize_t ask_resolver(int fd, const void *data, size_t length)
{
        if (connect_to_resolver(fd) < 0)
                return -1;
        keep(fd, ASKING);
        return kernel_send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* For a port of the guest's that asked the resolver and now sends elsewhere. */
static void leave_resolver(int fd)
{
        const struct sockaddr none = { .sa_family = AF_UNSPEC };

        (void)kernel_connect(fd, &none, sizeof(none));
        forget(fd);
}

ssize_t conduit_send_to(int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
                        socklen_t address_length)
{
        const struct packet *packet = conduit.packet;
        const uint8_t *payload;
        size_t payload_length;
        ssize_t sent;

        if (!packet || packet->protocol == IPPROTO_TCP || !is_judged_place(packet->protocol, address, address_length))
                return fail(EACCES);
        payload = payload_of(packet, &payload_length);
        if (length != payload_length || (length > 0 && memcmp(data, payload, length) != 0))
                return fail(EACCES);
        if (is_dns(packet))
                return ask_resolver(fd, data, length);
        if (find(fd))
                leave_resolver(fd);
        sent = kernel_send_to(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address_length);
        if (sent >= 0 && packet->protocol == IPPROTO_UDP)
                egress_sent(conduit.settings.egress, packet, length);
        return sent;
}

/* --- receiving, and the end */

ssize_t conduit_receive(int fd, void *data, size_t length, int flags)
{
        struct connection *connection = find(fd);
        ssize_t count;

        if (connection && connection->kind == CUT)
                return fail(ECONNRESET);
        count = kernel_receive(fd, data, length, flags);
        if (!connection)
                return count;
        if (count > 0)
                egress_bytes(conduit.settings.egress, &connection->flow, 0, (uint64_t)count);
        else if (count == 0 || (errno != EAGAIN && errno != EINTR))
                connection->read_end = true;
        note_moved(connection, count);
        return count;
}

int conduit_shutdown(int fd, int how)
{
        struct connection *connection = find(fd);

        if (connection && how != SHUT_WR)
                connection->read_end = true;
        if (connection && how != SHUT_RD) {
                stream_end(&connection->stream);
                count(connection);
                connection->ending = is_waiting(connection);
                if (connection->ending)
                        return how == SHUT_RDWR ? kernel_shutdown(fd, SHUT_RD) : 0;
        }
        return kernel_shutdown(fd, how);
}

int conduit_close(int fd)
{
        forget(fd);
        return kernel_close(fd);
}
