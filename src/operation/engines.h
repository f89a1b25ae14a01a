/*
 * Chooses which of the engines (vm_engines()) a new VM gets.
 */
#pragma once

#include "vm/engine.h"

/* Returns the engine to ask about layers: all layers are in one place, whichever engine made them. NULL = no engine has any. */
const struct engine *engine_of_layers(void);

/*
 * `wanted` is "auto" or an engine's name. "auto" takes the first usable engine of the table, which is in the order of how tight
 * a line each draws. *why becomes a sentence for `up` to print (owned by the caller). Fails with ERROR_ENGINE when no engine is
 * usable, and says what each lacks.
 */
int engine_choose(const char *wanted, const struct engine **out, char **why, struct error **err);
/* Fails with ERROR_USAGE when `name` is neither "auto" nor an engine of this build. */
int engine_check_name(const char *name, struct error **err);
/* Warns once on this computer that the engine's guests are emulated, and says what helps. */
void engine_warn_slow(const struct engine *engine, struct event_sink *events);
