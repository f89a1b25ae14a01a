/*
 * Can a VM without `lan = true` reach a host? Asked of this computer's resolver, before the guest tries in vain.
 */
#pragma once

#include "lib/address.h"
#include "lib/deadline.h"

#define REACH_TIMEOUT_MS 3000 /* a resolver that works answers long before */

/*
 * 1 when every address of `host` is private or link-local, so that only `lan` lets the guest there; 0 when not, or when the
 * resolver knows nothing or hasn't answered by `limit` (the guest will say). *class is then one of them.
 */
int reach_needs_lan(const char *host, deadline limit, enum address_class *class);
