/*
 * Which hosts the guest's own package clients are configured to use: apt, npm (pnpm, yarn), pip (uv), cargo and go are asked
 * by guest/session/clients.sh. Theirs is the guest's word: to be asked before there is any code in it but the recipe's.
 */
#pragma once

#include "vm/vm.h"

/*
 * Adds "@npm RULE" (lib/egress-rule.h) for each that is not in `out` yet, sorted. What is no rule of one name or address:
 * ERROR_STEP.
 */
int clients_ask(const struct vm *vm, struct strv *out, struct error **err);
/* Adds what the script printed. */
int clients_read(const char *text, struct strv *out, struct error **err);
