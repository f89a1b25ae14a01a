/*
 * A file, or a folder with everything in it, as a stream of records between this computer and guest/session/copy.sh, through an
 * ssh session of its own.
 *
 * A record is a letter, the length of its content (4 bytes), and the content; numbers are big-endian:
 *
 *         D MODE(4) NAME            a folder begins; what follows is in it, up to its "U"
 *         F MODE(4) SIZE(8) NAME    a file begins; SIZE counts its holes
 *         B OFFSET(8) DATA          some of the file's bytes; there are holes in between
 *         U                         the folder ends
 *         L NAME                    left out: it is neither a file nor a folder
 *         X TEXT                    it has failed
 *         Z                         all was sent; from the receiver: all was written; after that from us: it may stay
 *
 * The first D or F is what was asked for. It has no name: the receiver gives it one.
 *
 * copy_send() and copy_receive() fail when less than 64 KiB have moved in 10 minutes, after 12 hours, and when the program is
 * asked to end (lib/interrupt.h).
 */
#pragma once

#include "lib/deadline.h"
#include "lib/error.h"
#include "lib/strbuf.h"
#include "vm/vm.h"

struct copy_stream {
        pid_t pid; /* ssh's; 0 = none */
        int to_fd, from_fd, said_fd;
        struct strbuf said; /* the end of what ssh and the guest's shell wrote to stderr */
        bool whole;         /* the last record has come: ssh ends by itself */
        int64_t moved, looked_at;
        struct event_sink *events; /* is told how far it is, when the length is known; NULL = nobody is */
        int64_t length;            /* of what is copied, in bytes; 0 = not known */
        const struct vm *vm;       /* is asked whether its guest is paused; NULL = none */
        deadline look, end, ask;
};

#define COPY_STREAM_INIT                                                                                                       \
        {                                                                                                                      \
                .to_fd = -1, .from_fd = -1, .said_fd = -1, .said = STRBUF_INIT                                                 \
        }

/* What a guest may send. */
struct copy_wish {
        bool recursive;
        bool repos;        /* repositories of git, hg and jj, too */
        int64_t most;      /* bytes, of all files together; each file and folder counts at least COPY_ENTRY_BYTES */
        uint64_t left_out; /* filled in: how many the guest left out */
};

#define COPY_ENTRY_BYTES 4096
#define COPY_DEPTH_MOST  200 /* of nested folders */

/* Starts guest/session/SCRIPT, which speaks in these records, with `args`. */
int copy_stream_open(const struct vm *vm, const char *script, const struct strv *args, struct copy_stream *out,
                     struct error **err);
/* Makes a stream without a guest. It reads from the descriptor, and owns it. */
void copy_stream_of(int from_fd, struct copy_stream *out);
/* Ends ssh, too. */
void copy_stream_clear(struct copy_stream *stream);

/*
 * Receives into the folder `folder`, as "copy", which must not exist. Whatever comes, nothing else is written. It is an error
 * when a name has a slash or control characters or comes twice, when data isn't in order, and when more comes than was allowed.
 */
int copy_receive(struct copy_stream *stream, int folder, struct copy_wish *wish, struct error **err);
/* Sends `source`, and waits until the guest has written it. A link is followed only when it is `source` itself. */
int copy_send(struct copy_stream *stream, const char *source, struct error **err);

/* For copy-receive.c and copy-send.c: these read or write all of `length` bytes, within the limits. */
int copy_stream_get(struct copy_stream *stream, void *data, size_t length, struct error **err);
int copy_stream_put(struct copy_stream *stream, const void *data, size_t length, struct error **err);
int copy_stream_put_record(struct copy_stream *stream, char letter, const struct strbuf *content, struct error **err);
/* Reads the next record's letter and content. */
int copy_stream_take(struct copy_stream *stream, char *letter, struct strbuf *content, struct error **err);
