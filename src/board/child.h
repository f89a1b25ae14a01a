/* Runs `machine` with the terminal, which the screen has given up: other commands do the work, and the board stays small. */
#pragma once

#include "lib/error.h"

/*
 * Runs the command to its end; `argv` is what follows the program's name. When it fails, or when `read`, what it said stays
 * until Enter is pressed. Returns its exit status; -1 with an error when it can't be run. *asked_to_end becomes true when this
 * program was asked to end meanwhile.
 */
int child_run(const char *const *argv, bool read, bool *asked_to_end, struct error **err);
