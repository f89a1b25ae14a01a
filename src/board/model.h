/*
 * What the board knows: the VMs as they were last seen, which of them are listed in which order, which one is selected, and
 * what is being typed. Pure: it looks at nothing and shows nothing.
 *
 *         sample.h makes a `struct board_sample` -> board_update() -> paint.h makes a canvas of it
 *                                    a key -> press.h changes it, and says what is to be done
 */
#pragma once

#include "lib/strv.h"

/* A VM, or a project without one, as it was seen at one moment. Texts are NULL where there is nothing to say. */
struct board_vm {
        char *name;
        char *state; /* as in `list` */
        char *reason, *hint;
        bool exists; /* there is a VM */
        bool alive;  /* a process runs it */
        bool parked;
        bool needs;      /* it stays as it is until somebody does something */
        int64_t percent; /* of one processor, since the look before; -1 = unknown */
        int64_t cpus;
        int64_t memory_used, memory, disk_used, disk; /* bytes; 0 = unknown */
        int64_t refused;                              /* connections and names of different kinds; -1 = unknown */
        char *engine, *profiles, *repos, *ports, *ssh, *created;
};

struct board_sample {
        struct board_vm *vms;
        size_t count;
        char *trouble; /* why nothing could be seen; NULL = it could */
};

#define BOARD_SAMPLE_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void board_sample_clear(struct board_sample *sample);

enum board_order { ORDER_NAME, ORDER_STATE, ORDER_CPU, ORDER_MEMORY, ORDER_DISK, ORDER_REFUSED, ORDERS };

/* What is being typed at the bottom. */
enum board_prompt { PROMPT_NONE, PROMPT_FILTER, PROMPT_FORK, PROMPT_AGENT, PROMPT_PORT, PROMPT_DOWN, PROMPT_UNDO };

struct board {
        struct board_sample seen;
        bool sampled; /* there was a first look */
        size_t *rows; /* indexes into seen.vms: what is listed, in this order */
        size_t count;
        size_t selected; /* of the rows */
        size_t top;      /* the first row that is shown */
        size_t page;     /* so many are shown; the painter says it */
        enum board_order order;
        char *filter; /* NULL = all are listed */
        enum board_prompt prompt;
        char *subject; /* the VM that it is about, whatever is selected by then */
        char *typed;
        char *agent; /* the one that was asked for last */
        bool help;
        size_t help_top;
        char *message;
        bool failed; /* the message is of a failure */
};

#define BOARD_INIT                                                                                                             \
        {                                                                                                                      \
                .seen = BOARD_SAMPLE_INIT                                                                                      \
        }
void board_clear(struct board *board);

/* Takes over what was seen. The selected VM stays selected; when it is gone, the one in its place is. */
void board_update(struct board *board, struct board_sample *sample);
void board_set_filter(struct board *board, const char *filter); /* NULL and "" = all are listed */
void board_set_order(struct board *board, enum board_order order);
/* Selects the row so many below. At an end it stays there. */
void board_move(struct board *board, ssize_t rows);
/* Selects the next VM that needs somebody. Returns false when there is none. */
bool board_next_needy(struct board *board);
void board_say(struct board *board, bool failed, const char *format, ...) _printf_(3, 4);

const struct board_vm *board_row(const struct board *board, size_t row); /* NULL after the last */
const struct board_vm *board_selected(const struct board *board);        /* NULL when none is listed */
