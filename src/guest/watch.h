/*
 * Which of a guest's programs ask for names and open connections, for as long as somebody watches: guest/session/watch.sh in
 * a session of its own. All of it is the guest's word.
 *
 *         _cleanup_(watch_clear) struct watch watch = WATCH_INIT;
 *         if (watch_begin(&vm, &watch, err) < 0)
 *                 return -1;
 *         while (…)
 *                 watch_take(&watch);             // what has come; never waits
 *         watch_programs(&watch, "example.org", NULL, 0, &programs);
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

struct watch_told {
        char *program; /* "http of apt-get"; visible characters alone */
        char *what;    /* a name, or "ADDRESS:PORT" */
};

struct watch {
        pid_t pid;             /* ssh's; 0 = none */
        int input_fd, from_fd; /* as long as the first is open, the guest tells */
        struct strbuf line;    /* not whole yet */
        struct watch_told *told;
        size_t count;
        bool ready;
        char *missing; /* what this guest can't tell; NULL = nothing is */
        char *failure; /* why it can't tell anything; NULL = it can */
};

#define WATCH_INIT                                                                                                             \
        {                                                                                                                      \
                .input_fd = -1, .from_fd = -1, .line = STRBUF_INIT                                                             \
        }
/* Ends it, too. */
void watch_clear(struct watch *watch);

/* Returns when the guest watches, within 30 s. A guest whose kernel has no tracing: ERROR_STEP. */
int watch_begin(const struct vm *vm, struct watch *out, struct error **err);
/* Reads what the guest has told since. A session that has ended tells no more. */
void watch_take(struct watch *watch);
/* Ends the watching, and reads what it still had to tell, for at most 2 s. */
void watch_end(struct watch *watch);
/* Adds some of what the guest told: whole lines and parts. What isn't one of its records is passed over. */
void watch_add(struct watch *watch, const char *text, size_t length);
/* Appends the programs that asked for that name or connected there, each once; both may be NULL. */
void watch_programs(const struct watch *watch, const char *name, const char *address, int64_t port, struct strv *out);
