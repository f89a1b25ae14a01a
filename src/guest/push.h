/*
 * A checkout's commits as one stream into the guest: the refs that it gets, and a pack that git makes here while the guest
 * reads. guest/session/repos-look.sh takes the stream in; git on the host talks to nobody.
 *
 *   shallow   the commits whose parents are not here, one a line (gitrepository-layout(5)); empty in a whole repository
 *   refs      the text of .git/packed-refs (gitrepository-layout(5)), which takes no program to write: all branches, each also
 *             as refs/remotes/host/NAME, tags, and a detached HEAD's commit as refs/remotes/host/detached
 *   pack      as `git index-pack --stdin` reads it
 *
 * The guest's script is told the lengths of the first two, in bytes. A few refs are not in the stream, but an argument of it.
 */
#pragma once

#include <sys/types.h>

#include "guest/checkout.h"
#include "lib/strbuf.h"

struct push {
        struct strbuf head; /* shallow, and refs if there are many */
        size_t shallow;     /* how many bytes of `head` are the shallow ones */
        struct strbuf refs; /* if there are few; else empty */
        int pack_fd;        /* -1 = there is none */
        pid_t packer;       /* 0 = there is none */
        char *said_path;    /* the packer's stderr, beside the checkout's view */
        const char *folder; /* the checkout's, for errors */
};

#define PUSH_INIT                                                                                                              \
        {                                                                                                                      \
                .head = STRBUF_INIT, .refs = STRBUF_INIT, .pack_fd = -1                                                        \
        }
/* Reads the refs and starts the packer, unless nothing is committed. `checkout` must not change until push_end(). */
int push_begin(const struct checkout *checkout, struct push *out, struct error **err);
/* Waits for the packer, which has written everything once the guest has taken everything. Reports only the packer's own errors:
 * that the guest stopped reading is not one. */
int push_end(struct push *push, struct error **err);
/* Ends the packer if it still runs. */
void push_clear(struct push *push);
