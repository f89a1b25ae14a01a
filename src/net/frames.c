#include "net/frames.h"

#include <errno.h>

#include "net/kernel.h"

#define HEADER 4

bool frames_sane(const struct frames *queue)
{
        return queue->start <= queue->end && queue->end <= FRAMES_ROOM;
}

bool frames_waiting(const struct frames *queue)
{
        return queue->start != queue->end;
}

void frames_reset(struct frames *queue)
{
        queue->start = 0;
        queue->end = 0;
}

/* Moves what waits to the front. */
static void compact(struct frames *queue)
{
        uint32_t waiting = queue->end - queue->start;

        if (queue->start == 0)
                return;
        memmove(queue->bytes, queue->bytes + queue->start, waiting);
        queue->start = 0;
        queue->end = waiting;
}

ssize_t frames_receive(struct frames *queue, int fd)
{
        ssize_t count;

        /* At most a part of a frame is left. */
        compact(queue);
        count = kernel_receive(fd, queue->bytes + queue->end, FRAMES_ROOM - queue->end, MSG_DONTWAIT);
        if (count > 0)
                queue->end += (uint32_t)count;
        return count;
}

int frames_next(struct frames *queue, const uint8_t **frame, size_t *length)
{
        const uint8_t *at = queue->bytes + queue->start;
        uint32_t waiting = queue->end - queue->start;
        uint32_t size;

        if (waiting < HEADER)
                return 0;
        size = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        if (size > FRAMES_LONGEST)
                return -1;
        if (waiting - HEADER < size)
                return 0;
        queue->start += HEADER + size;
        *frame = at + HEADER;
        *length = size;
        return 1;
}

bool frames_put(struct frames *queue, const uint8_t *frame, size_t length)
{
        uint8_t *at;

        if (length > FRAMES_LONGEST)
                return false;
        if (FRAMES_ROOM - queue->end < HEADER + length)
                compact(queue);
        if (FRAMES_ROOM - queue->end < HEADER + length)
                return false;
        at = queue->bytes + queue->end;
        at[0] = (uint8_t)(length >> 24);
        at[1] = (uint8_t)(length >> 16);
        at[2] = (uint8_t)(length >> 8);
        at[3] = (uint8_t)length;
        memcpy(at + HEADER, frame, length);
        /* Set last, so that a process that takes over from one that died in here never sees half a frame. */
        __atomic_store_n(&queue->end, queue->end + HEADER + (uint32_t)length, __ATOMIC_RELEASE);
        return true;
}

int frames_send(struct frames *queue, int fd)
{
        while (frames_waiting(queue)) {
                ssize_t count =
                        kernel_send(fd, queue->bytes + queue->start, queue->end - queue->start, MSG_DONTWAIT | MSG_NOSIGNAL);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
                queue->start += (uint32_t)count;
        }
        frames_reset(queue);
        return 0;
}
