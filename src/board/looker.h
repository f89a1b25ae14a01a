/*
 * A thread that looks at the VMs again and again, so that the screen answers to keys while a VM does not answer. It lives as
 * long as the program.
 */
#pragma once

#include "board/model.h"
#include "lib/error.h"

/* Starts it. `fd` is written a byte to after each look. Called once. */
int looker_start(int fd, struct error **err);
/* Takes what was seen last. Returns false when nothing is new. */
bool looker_take(struct board_sample *out);
/* Looks now, not only when it is time again. */
void looker_hurry(void);
/* Looks no more until looker_hurry(): somebody else has the screen. */
void looker_rest(void);
