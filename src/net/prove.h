/*
 * Checks, before anything else, that this libslirp reaches the network through our functions (calls.h): a small network of its
 * own is given a connection and a datagram, and nothing of them leaves. Fails when one of the calls went elsewhere.
 */
#pragma once

#include "lib/error.h"

int prove_calls(struct error **err);
