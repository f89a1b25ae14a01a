/*
 * What a key does. One table of keys is what is looked up, what `?` shows and what the last line reminds of.
 */
#pragma once

#include "board/model.h"

/* A byte that was typed, or one of these. */
enum board_key {
        KEY_OF_ESCAPE = 27,
        KEY_OF_BACKSPACE = 127,
        KEY_OF_UP = 256,
        KEY_OF_DOWN,
        KEY_OF_PAGE_UP,
        KEY_OF_PAGE_DOWN,
        KEY_OF_FIRST,
        KEY_OF_LAST,
};

enum board_act {
        ACT_NONE,
        ACT_QUIT,
        ACT_SUSPEND,
        ACT_REPAINT, /* from nothing: something else wrote on the screen */
        ACT_RUN,     /* `machine` with `argv` */
};

struct board_action {
        enum board_act act;
        struct strv argv; /* after the program's name */
        bool read;        /* what it prints is what is wanted, so it stays until Enter */
};

#define BOARD_ACTION_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void board_action_clear(struct board_action *action);

/* `out` is cleared and filled in. */
void board_press(struct board *board, int key, struct board_action *out);

struct board_binding {
        int key, other;   /* two keys do it; 0 = one does */
        const char *keys; /* as they are called; NULL = the row before says it */
        const char *word; /* for the last line; NULL = it isn't there */
        const char *does; /* for `?` */
        void (*press)(struct board *board, const struct board_vm *vm, struct board_action *out);
        bool needs_vm; /* does nothing without one: `vm` is not NULL */
};

extern const struct board_binding board_bindings[]; /* ends with one without `press` */

/* What is asked at the bottom, for the selected VM. Owned by the caller. NULL when nothing is. */
char *board_question(const struct board *board);
