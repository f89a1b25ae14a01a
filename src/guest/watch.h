/*
 * Tells which of a guest's programs ask for names and open connections, for as long as somebody watches:
 * guest/session/watch.sh runs in a session of its own. All of it is the guest's word.
 *
 *         _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
 *         if (watch_begin(&vm, &watch, err) < 0)
 *                 return -1;
 *         while (…)
 *                 watch_take(&watch);             // takes what has come; never waits, and ends however much comes
 *         watch_programs(&watch, "example.org", NULL, 0, &programs);
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

struct watch_told {
        char *program; /* "http of apt-get"; visible characters only */
        char *what;    /* a name, or "ADDRESS:PORT" */
};

struct watch {
        pid_t pid;             /* ssh's; 0 = none */
        int input_fd, from_fd; /* the guest reports for as long as the first is open */
        struct strbuf line;    /* the last one, which has not ended yet */
        struct watch_told *told;
        size_t count;
        bool ready;
        char *missing; /* what this guest can't tell; NULL = nothing is missing */
        char *failure; /* why it can't tell anything; NULL = it can */
};

#define WATCH_INIT                                                                                                             \
        {                                                                                                                      \
                .input_fd = -1, .from_fd = -1, .line = STRBUF_INIT                                                             \
        }
/* Ends the watching, too. */
void watch_clear(struct watch *watch);

/* Returns when the guest watches, within 30 s. Fails with ERROR_STEP when the guest's kernel has no tracing. */
int watch_begin(const struct vm *vm, struct watch *out, struct error **err);
/* Reads what the guest has reported since, at most 256 KiB of it: the rest comes with the next call. After the session has
 * ended nothing more comes. */
void watch_take(struct watch *watch);
/* Ends the watching, and reads what is still to come, for at most 2 s. */
void watch_end(struct watch *watch);
/* Adds some of the guest's report, in whole lines or parts of lines. Lines that are not records are skipped. */
void watch_add(struct watch *watch, const char *text, size_t length);
/* Appends the programs that asked for that name or connected there, each once, until `out` has 20; both may be NULL. */
void watch_programs(const struct watch *watch, const char *name, const char *address, int64_t port, struct strv *out);
