/*
 * Advice on what failed in a guest, from the last words of the program that failed (lib/said.h): what to set when it doesn't
 * trust a CA, and whether it helps to run it again.
 */
#pragma once

#include "vm/vm.h"

/*
 * Returns what to do about a certificate that was not trusted in a guest; NULL when that was not it. Names `trust_host_ca`, or,
 * when that is set, the files whose certificates the guest was given. `again` is the command that then goes on. Owned by the
 * caller.
 */
char *advice_on_trust(const char *said, size_t length, const char *again);

/* Was it a network that broke off? What a VM that may not reach everything is refused looks the same, so there it is not. */
bool advice_broke_off(const struct vm *vm, const char *said, size_t length);

/* For error_passes(), where a session ended before what ran in it. */
#define ADVICE_CUT_OFF_PASSES "a connection that was cut off often holds the next time"
