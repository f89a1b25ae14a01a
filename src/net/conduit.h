/*
 * The last stop before the kernel for the guest's bytes. libslirp reaches the network only through libc's connect(), send()
 * and sendto(). Those are ours (calls.h) and lead here. What is judged here is exactly what leaves, in the order in which it
 * leaves, whatever segments it came in.
 *
 * - A connection is made, or a datagram sent, only for the frame that libslirp is being given, and only to the destination
 *   that was judged for it. A datagram must be the one in that frame.
 * - The project's rules (egress.h) are asked when a connection is made. A connection that has to show a name is watched: its
 *   bytes are held until the name has arrived (stream.h).
 * - One budget covers the bytes that are held for all connections together. A connection that exceeds it is refused:
 *   "held-too-much".
 * - A connection that is refused later, or is no longer allowed, is reset at the far end at once. libslirp finds its socket
 *   dead and closes the connection to the guest.
 * - The resolver of the guest's network stands for the host's: what the guest sends to it goes to the host's resolver, and
 *   that socket receives from nobody else.
 * - Connections that came in through a forward pass unchanged, except urgent data, which is never passed on.
 * - A connection is near or far (traffic.h). The conduit knows which: what was accepted is near, what was connected is far.
 *
 * There is one conduit per process, because libc's functions have no parameter for a pointer to it.
 *
 *         conduit_open(&settings);
 *         conduit_frame(&packet); slirp_input(…); if (conduit_refused()) …; conduit_frame(NULL);
 *         conduit_add_polls(add, data); poll(…); conduit_flush();
 */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include "net/egress.h"
#include "net/log.h"
#include "net/traffic.h"

#define CONDUIT_HELD_MOST (32u << 20) /* bytes for all connections together, by default */

struct conduit_settings {
        struct egress *egress;
        struct log *log;
        const struct in_addr *resolver; /* the host's; may change at any time; 0.0.0.0 = none */
        size_t held_most;
        struct traffic *traffic; /* counted here; outlives the conduit */
};

void conduit_open(const struct conduit_settings *settings);
void conduit_close_all(void);

/* Sets the frame that libslirp is given from here on. It has been judged and may leave. NULL = none. Borrowed. */
void conduit_frame(const struct packet *packet);
/* Returns true when what the current frame carries was refused, so that the guest needs an answer. */
bool conduit_refused(void);
/* Called when the rules have changed: resets the connections that they no longer allow. */
void conduit_judge_again(void);
/* Resets all connections that the guest has made. */
void conduit_cut_all(void);
/* Calls `add` for each descriptor with settled bytes that wait for room in the kernel. */
void conduit_add_polls(void (*add)(int fd, void *data), void *data);
/* Sends as many of those bytes as the kernel takes now. */
void conduit_flush(void);
enum conduit_side {
        CONDUIT_NEAR,
        CONDUIT_FAR,
        CONDUIT_NEITHER, /* a datagram socket, or a connection that is cut */
};

/*
 * Calls `add` for each TCP socket from which libslirp would read on, or accept: what becomes readable there is for the guest.
 * That leaves out a connection whose end it has read.
 */
void conduit_add_readers(enum conduit_side side, void (*add)(int fd, void *data), void *data);
/* On which side is the other end of this connection? CONDUIT_NEITHER also for a listening socket. */
enum conduit_side conduit_side(int fd);
/* Tells the conduit of a socket that listens for connections from this computer. */
void conduit_keep_listener(int fd);
/* Returns how many bytes are held. */
size_t conduit_held(void);

/* What libslirp calls. Arguments and results are those of libc's functions. */
int conduit_connect(int fd, const struct sockaddr *address, socklen_t length);
int conduit_accept(int fd, struct sockaddr *address, socklen_t *length);
ssize_t conduit_send(int fd, const void *data, size_t length, int flags);
ssize_t conduit_send_to(int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
                        socklen_t address_length);
ssize_t conduit_receive(int fd, void *data, size_t length, int flags);
int conduit_shutdown(int fd, int how);
int conduit_close(int fd);
