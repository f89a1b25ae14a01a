#include "net/polls.h"

#include "lib/util.h"

size_t polls_add(struct polls *polls, int fd, short events)
{
        if (polls->count == polls->room) {
                polls->room = polls->room * 2 + 16;
                polls->items = xreallocarray(polls->items, polls->room, sizeof(*polls->items));
        }
        polls->items[polls->count] = (struct pollfd){ .fd = fd, .events = events };
        return polls->count++;
}

void polls_clear(struct polls *polls)
{
        free(polls->items);
        *polls = (struct polls){ 0 };
}
