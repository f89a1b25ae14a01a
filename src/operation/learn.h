/* Finds the rules that would allow what a guest has reached, or was refused for want of a rule. */
#pragma once

#include "guest/watch.h"
#include "operation/target.h"
#include "vm/account.h"
#include "vm/vm.h"

struct learned {
        struct strv rules;     /* the project's own as they are written, "@npm" too, and those that are missing */
        struct strv *programs; /* for each rule, the programs that the guest named; NULL = nobody watched */
};

#define LEARNED_INIT                                                                                                           \
        {                                                                                                                      \
                .rules = STRV_INIT                                                                                             \
        }
void learned_clear(struct learned *learned);

/* `watch` may be NULL. */
void learn(const struct target *target, const struct vm *vm, const struct account *account, const struct watch *watch,
           struct learned *out);
