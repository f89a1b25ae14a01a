/*
 * How machine-net sets libslirp up: once for a worker, once to prove that its calls come to us (prove.h). Both have to use the
 * same settings, or the proof is of another libslirp than the one that runs.
 */
#pragma once

#include <slirp/libslirp.h>

#include "net/network.h"

/* Returns settings without the guest's name (vhostname). Valid as long as `network`. */
SlirpConfig stack_config(const struct network *network);
