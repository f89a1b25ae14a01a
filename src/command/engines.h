/* The engines that this program was built with. Only engines.c knows them by name. */
#pragma once

#include "vm/engine.h"

/* NULL-ended; the engine that draws the tightest line comes first. */
extern const struct engine *const engines[];
