/*
 * The embedded engine: QEMU driven by us. See engine.h for the calls; this is all that the rest of the program sees.
 */
#pragma once

#include "vm/engine.h"

extern const struct engine qemu_engine;
