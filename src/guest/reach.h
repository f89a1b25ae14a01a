/*
 * Tells whether a VM needs `lan = true` to reach a host, by asking this computer's resolver before the guest tries in vain.
 */
#pragma once

#include "lib/address.h"
#include "lib/deadline.h"

#define REACH_TIMEOUT_MS 3000 /* a resolver that works answers long before */

/*
 * Returns 1 when every address of `host` is private or link-local, so that only `lan` lets the guest reach it; *class is then
 * the class of one of them. Returns 0 when not, and when the resolver knows nothing or hasn't answered by `limit` (the guest
 * will say).
 */
int reach_needs_lan(const char *host, deadline limit, enum address_class *class);
