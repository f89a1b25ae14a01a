#include "net/hold.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/conduit.h"
#include "net/kernel.h"
#include "net/owed.h"

static void wake(struct hold *hold)
{
        /* When the pipe is full, the waker has bytes enough. When it is closed, there is no waker, as the log says. */
        (void)!write(hold->settings.wake_fd, &hold->settings.number, 1);
        hold->polled.count = 1;
}

static void watch(int fd, void *data)
{
        struct hold *hold = data;

        (void)polls_add(&hold->polled, fd, POLLIN);
}

static enum owed_weight weigh(int fd, void *data)
{
        const struct hold_settings *settings = data;

        switch (conduit_side(fd)) {
        case CONDUIT_NEAR:
                return OWED_ALL;
        case CONDUIT_FAR:
                return settings->any ? OWED_BYTES : OWED_NOTHING;
        default:
                return OWED_NOTHING;
        }
}

void hold_begin(struct hold *hold, const struct hold_settings *settings, const char *info)
{
        *hold = (struct hold){ .settings = *settings };
        watch(settings->channel, hold);
        if (settings->wake_fd >= 0)
                conduit_add_readers(CONDUIT_NEAR, watch, hold);
        hold->far = hold->polled.count;
        if (settings->wake_fd >= 0 && settings->any)
                conduit_add_readers(CONDUIT_FAR, watch, hold);
        if (settings->wake_fd >= 0 && owed_find(info, weigh, &hold->settings))
                wake(hold);
}

void hold_end(struct hold *hold)
{
        polls_clear(&hold->polled);
}

static bool has_bytes(int fd)
{
        char byte;

        return kernel_receive(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/*
 * A near socket reaches for the guest by whatever it has: a connection, bytes, an end. A far one by bytes only, because servers
 * end idle connections by themselves; its end waits, and is watched no more.
 */
static bool reaches(struct hold *hold, size_t i)
{
        struct pollfd *entry = &hold->polled.items[i];

        if (entry->revents == 0)
                return false;
        if (i < hold->far)
                return true;
        /* Looking for bytes would take the error that libslirp is to find. */
        if ((entry->revents & POLLERR) == 0 && has_bytes(entry->fd))
                return true;
        entry->fd = -1;
        return false;
}

int hold_wait(struct hold *hold, int timeout_ms, bool *told, struct error **err)
{
        int found = poll(hold->polled.items, hold->polled.count, timeout_ms);

        *told = false;
        if (found < 0)
                return errno == EINTR ? 0 : error_errno(err, ERROR_FAILED, "cannot wait while the VM is parked");
        if (found == 0)
                return 0;
        *told = hold->polled.items[0].revents != 0;
        for (size_t i = 1; i < hold->polled.count; i++)
                if (reaches(hold, i))
                        wake(hold);
        return 0;
}
