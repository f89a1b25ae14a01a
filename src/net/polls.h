/* A list for poll(2) that grows. All zero: empty. */
#pragma once

#include <poll.h>
#include <stddef.h>

struct polls {
        struct pollfd *items;
        size_t count, room;
};

/* Returns the index of the new entry. */
size_t polls_add(struct polls *polls, int fd, short events);
void polls_clear(struct polls *polls);
