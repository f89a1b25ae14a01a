/* Offers, on the terminal, to write a first .machine.toml. */
#pragma once

#include "command/command.h"
#include "operation/starter.h"

/* For struct front. The front must be the first member of a struct context. */
int offer_prompt(struct front *front, const struct starter *starter, struct error **err);
/* Writes it, and says whether it is trusted by that. */
int offer_write(struct context *context, const struct starter *starter, bool replace, struct error **err);
