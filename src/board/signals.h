/*
 * The signals that the board has something to do for, as bytes in a pipe. While another program has the terminal, what the
 * terminal sends goes to both; then Ctrl-C is for the other one.
 */
#pragma once

#include "lib/error.h"

/* Called once. `fd` is the end that others may write a 0 to, to wake who polls. */
int signals_catch(int *fd, struct error **err);
/* For poll(2), with POLLIN. */
int signals_fd(void);
/* Returns the number of a signal that has come; 0 for a byte of somebody else; -1 when there is none. */
int signals_take(void);
/* Stops this process group as Ctrl-Z does, and returns when it goes on. */
void signals_stop(void);
