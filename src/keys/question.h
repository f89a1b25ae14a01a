/*
 * Asks the person at this computer, for the outer process: starts the program that confirm.h names, and takes its exit status
 * as the answer. Limits: patience.h; QUESTION_MS for an answer.
 */
#pragma once

#include <sys/types.h>

#include "keys/channel.h"
#include "lib/loop.h"

/* A person may be away from the computer for a moment. */
#define QUESTION_MS (5 * 60 * 1000)

typedef void (*question_fn)(uint32_t number, enum answer answer, void *data);

struct question {
        struct loop *loop;
        const char *vm;
        char *patience; /* path */
        question_fn on_answer;
        void *data;
        /* while one is open */
        bool open;
        uint32_t number;
        pid_t child;
        int process_fd, held;
        struct loop_source *source, *timer;
};

/* Asks about what VM `vm` wants; `text` follows its name. Calls on_answer once, possibly before this returns. */
void question_ask(struct question *question, uint32_t number, const char *text);
/* Takes the question back, when nobody waits for the answer any more: on_answer is not called. */
void question_withdraw(struct question *question);
