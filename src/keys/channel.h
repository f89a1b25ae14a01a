/*
 * The words that the two processes of machine-keys exchange, over a pair of stream sockets. The inner process (inner.h) reads
 * what a guest sent and is confined. The outer one (outer.h) is not confined, and does the four things named here for it and
 * no others. Every word has the same length, so nothing about it can be parsed wrongly.
 */
#pragma once

#include <stdint.h>

#include "lib/util.h"

/* Descriptors of the inner process. */
#define CHANNEL_FD  3
#define LISTENER_FD 4

enum word_kind {
        /* from the inner process */
        WORD_READY = 1, /* it is confined */
        WORD_FAILED,    /* it can't be, and ends: `text` says why */
        WORD_CONNECT,   /* connect to the agent: answered by WORD_AGENT with the same number */
        WORD_ASK,       /* ask the person `text`: answered by WORD_ANSWER with the same number */
        WORD_WITHDRAW,  /* withdraw the question that is open */
        WORD_DONE,      /* a line of the record: what the agent did (record.h) */
        WORD_OTHER,     /* a line of the record: everything else */
        /* from the outer process */
        WORD_AGENT,  /* with a connected socket; without one no agent runs */
        WORD_ANSWER, /* `answer` */
        WORD_FULL, /* `answer` 1: the record of what the agent did is full, so the agent isn't asked for more; 0: it has room */
};

enum answer {
        ANSWER_YES,
        ANSWER_NO,
        ANSWER_NOBODY,   /* nobody answered */
        ANSWER_OPEN,     /* another question is open, in this session or another one of the VM */
        ANSWER_HELD_OFF, /* the last question wasn't answered with yes, a moment ago */
        ANSWER_TOO_MANY,
        ANSWER_NO_PROGRAM, /* there is none to ask with */
        ANSWER_FAILED,     /* the program can't be watched, or questions can't be counted */
};

#define WORD_TEXT 2036

struct word {
        uint32_t kind, number, answer;
        char text[WORD_TEXT]; /* NUL-terminated, once received */
};

struct channel {
        int fd;
        struct word word; /* as much of it as has come */
        size_t have;
        int passed; /* the descriptor that came with it; -1 = none */
};

#define CHANNEL_INIT                                                                                                           \
        {                                                                                                                      \
                .fd = -1, .passed = -1                                                                                         \
        }

/*
 * Takes what is there. Returns 1 when `out` is a whole word: *passed is then the descriptor that came with it, or -1 (owned by
 * the caller). Returns 0 when it isn't whole yet, -1 when the other process has ended. With `passed` NULL descriptors are not
 * received at all.
 */
int channel_receive(struct channel *channel, struct word *out, int *passed);
/*
 * Sends a word, with the descriptor `passed` unless that is -1. Waits at most 5 s for room. A text that is too long is cut.
 * Returns -1 when the other process has ended, or takes nothing.
 */
int channel_send(const struct channel *channel, enum word_kind kind, uint32_t number, enum answer answer, const char *text,
                 int passed);
