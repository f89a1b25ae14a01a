/*
 * What destroy and rebuild ask for before a VM goes: that no work is lost, and that the user means it.
 */
#pragma once

#include "command/lifecycle.h"

struct remove_options {
        struct common_options common;
        bool yes, discard_work;
};

#define REMOVE_OPTIONS                                                                                                         \
        OPTION(struct remove_options, yes, "yes", 'y', OPTION_FLAG, NULL, "don't ask"),                                        \
                OPTION(struct remove_options, discard_work, "discard-work", 0, OPTION_FLAG, NULL,                              \
                       "lose uncommitted and unpushed work too"),                                                              \
                COMMON_OPTIONS(struct remove_options)

/* Checks for work, asks `question`, removes. `command` names the calling command in hints. */
int remove_vm(struct context *context, struct vm *vm, const struct remove_options *given, const char *question,
              const char *command, struct error **err);
