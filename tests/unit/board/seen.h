/* VMs as the board may see them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "board/model.h"

/* Adds a VM, or a project without one, in that state. Valid until the next one is added. */
struct board_vm *seen_add(struct board_sample *sample, const char *name, const char *state);
/* A board that has seen these, which are separated by spaces, all of them running. */
void seen_board(struct board *board, const char *names);
/* What the board lists, with a star at the selected one: "blog *shop". Owned by the caller. */
char *seen_rows(const struct board *board);
