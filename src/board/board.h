/*
 * `machine board`: all VMs on one screen, until somebody leaves it.
 *
 *         looker (a thread: sample -> what was seen)  ->  model  ->  paint -> canvas  ->  screen (ncurses)
 *                                   keys -> press  ->  model, or a child: `machine` with the terminal
 *
 * Model, press and paint are pure. A guest is never asked anything.
 */
#pragma once

#include "lib/error.h"

/* `message` is said at first; NULL = nothing. */
int board_run(const char *message, struct error **err);
