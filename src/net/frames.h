/*
 * Frames on a stream, in the format of QEMU's `-netdev stream`: each frame follows its length in 4 bytes, big endian. A queue
 * is one direction of the stream: bytes come in at the end and leave from the start. It holds no pointers, so it can lie in
 * memory that processes share: a process that takes over the stream goes on where the last one stopped, even in the middle of
 * a frame.
 *
 *         while ((count = frames_receive(in, fd)) > 0)            // -1 and EAGAIN: later
 *                 while ((found = frames_next(in, &frame, &length)) > 0)
 *                         …                                       // the frame is out of the queue already
 *
 *         frames_put(out, frame, length);                         // false: full, the frame is lost as on a busy wire
 *         frames_send(out, fd);
 *
 * A queue that is all zero bytes is empty. The positions are right whenever other code runs, so that a process that dies in a
 * library leaves a whole stream. Only SIGKILL between a system call here and the line after it breaks this.
 */
#pragma once

#include <sys/types.h>

#include "lib/util.h"

#define FRAMES_LONGEST (4096 + 65536) /* QEMU's NET_BUFSIZE: no frame that it sends is longer, whatever its guest does */
#define FRAMES_ROOM    (512 * 1024)

struct frames {
        uint32_t start, end; /* what lies in between waits */
        uint8_t bytes[FRAMES_ROOM];
};

/* Are the positions possible? Checked once by a process that takes over a queue from another. */
bool frames_sane(const struct frames *queue);

/*
 * Reads once from a non-blocking socket. Returns the number of bytes, 0 at the end of the stream, -1 with errno. Only call it
 * when frames_next() has nothing more: the frame that it lent is gone after this.
 */
ssize_t frames_receive(struct frames *queue, int fd);
/*
 * Takes the next whole frame out. Returns 1 and the frame, lent until frames_receive(); 0 when there is none; -1 when the
 * length is one that QEMU never sends, after which the stream makes no sense.
 */
int frames_next(struct frames *queue, const uint8_t **frame, size_t *length);

/* Forgets everything, also half a frame: for a new stream in place of the old one. */
void frames_reset(struct frames *queue);

bool frames_put(struct frames *queue, const uint8_t *frame, size_t length);
/* Sends what the socket takes right now. Returns 0, or -1 with errno (never EAGAIN). */
int frames_send(struct frames *queue, int fd);
bool frames_waiting(const struct frames *queue);
