/*
 * machine-log: writes what a VM's QEMU says (the guest's console, its own messages) to files of limited size. It lives as long
 * as QEMU: until nobody holds the other end of its pipes any more.
 *
 *         machine-log IN:OUT:HEAD:MOST…
 *
 * Each argument is one log: the descriptor to read, the file's descriptor, and the two sizes of lib/capped-log.h. The
 * descriptors are open when it starts, and nothing else is opened.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/capped-log.h"
#include "lib/text.h"
#include "log/harden.h"

#define LOGS_MOST 8

struct source {
        int in;
        struct capped_log log;
};

/* Takes numbers with ':' between them, and nothing else. */
static int parse_numbers(const char *text, int64_t *numbers, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                size_t length = strcspn(text, ":");
                _cleanup_(freep) char *part = xstrndup(text, length);

                if (text_parse_int(part, 0, INT32_MAX, &numbers[i]) < 0)
                        return -1;
                text += length;
                if (i + 1 < count && *text++ != ':')
                        return -1;
        }
        return *text == '\0' ? 0 : -1;
}

static int parse(const char *text, struct source *out, struct error **err)
{
        int64_t numbers[4];

        if (parse_numbers(text, numbers, ARRAY_SIZE(numbers)) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is not IN:OUT:HEAD:MOST", text);
        out->in = (int)numbers[0];
        return capped_log_open(&out->log, (int)numbers[1], numbers[2], numbers[3], err);
}

/* A full disk must not end the guest's console: what can't be written is lost. */
static void take(struct source *source)
{
        char block[65536];
        ssize_t got = read(source->in, block, sizeof(block));

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
                return;
        if (got <= 0) {
                close(source->in);
                source->in = -1;
                return;
        }
        capped_log_write(&source->log, block, (size_t)got, NULL);
}

/* Runs until all have ended. poll(2) skips a descriptor of -1. */
static int follow(struct source *sources, size_t count, struct error **err)
{
        for (;;) {
                struct pollfd polled[LOGS_MOST];
                bool open = false;

                for (size_t i = 0; i < count; i++) {
                        polled[i] = (struct pollfd){ .fd = sources[i].in, .events = POLLIN };
                        open |= sources[i].in >= 0;
                }
                if (!open)
                        return 0;
                if (poll(polled, count, -1) < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for something to log");
                for (size_t i = 0; i < count; i++)
                        if (polled[i].fd >= 0 && polled[i].revents != 0)
                                take(&sources[i]);
        }
}

static int run(int argc, char **argv, struct error **err)
{
        struct source sources[LOGS_MOST] = { 0 };

        if (argc < 2 || argc - 1 > LOGS_MOST)
                return error_set(err, ERROR_USAGE, "there must be 1 to %d logs", LOGS_MOST);
        for (int i = 1; i < argc; i++)
                if (parse(argv[i], &sources[i - 1], err) < 0)
                        return -1;
        return log_harden(err) < 0 ? -1 : follow(sources, (size_t)argc - 1, err);
}

int main(int argc, char **argv)
{
        struct error *error = NULL;
        int status = run(argc, argv, &error);

        if (error) {
                _cleanup_(freep) char *text = error_text(error);

                fprintf(stderr, "machine-log: %s\n", text);
        }
        error_free(error);
        return status < 0 ? EXIT_FAILURE : 0;
}
