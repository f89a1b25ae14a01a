/*
 * The hosts that the guest's own package clients are configured to use: guest/session/clients.sh asks apt, npm (pnpm, yarn),
 * pip (uv), cargo and go. Their answer is the guest's word: ask before the guest has any code but the recipe's.
 */
#pragma once

#include "vm/vm.h"

/*
 * Adds "@npm RULE" (lib/egress-rule.h) for each that is not in `out` yet, and sorts `out`. Fails with ERROR_STEP when an answer
 * is not a rule for one name or address.
 */
int clients_ask(const struct vm *vm, struct strv *out, struct error **err);
/* Adds what the script printed. */
int clients_read(const char *text, struct strv *out, struct error **err);
