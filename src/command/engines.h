/*
 * The engines this program was built with, and which of them a new VM gets.
 */
#pragma once

#include "vm/engine.h"

extern const struct engine *const engines[]; /* NULL-ended */
/* The one that is asked about layers: they lie in one place, whoever made them. NULL = none has any. */
const struct engine *engine_of_layers(void);

/*
 * `wanted` is "auto" or an engine's name. "auto" takes the first usable one of the table, which stands in the order of how
 * tight a line each draws. *why becomes a sentence for `up` to say (owned by the caller). None usable: ERROR_ENGINE with
 * what each lacks.
 */
int engine_choose(const char *wanted, const struct engine **out, char **why, struct error **err);
