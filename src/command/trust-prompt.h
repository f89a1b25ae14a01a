/* Asks whether a checkout's files may be acted on: for `machine up`, and for `machine trust`. */
#pragma once

#include "command/command.h"

/* A front's ask_trust: asks on a terminal, and returns 0 when there is none. */
int trust_prompt(struct front *front, const struct checkout_tree *tree, bool changed, struct error **err);
/* Shows the files, asks whether to trust them, and records a yes. With `yes` it shows and asks nothing. */
int trust_prompt_give(struct context *context, const struct checkout_tree *tree, bool yes, struct error **err);
