/*
 * The engine that lets Lima (`limactl` 2.x) run the VMs. See engine.h for the calls; this is all that the rest of the program
 * sees.
 */
#pragma once

#include "vm/engine.h"

extern const struct engine lima_engine;
