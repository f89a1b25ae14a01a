/*
 * What destroy and rebuild do before they remove a VM: check that no work is lost, and ask the user.
 */
#pragma once

#include "command/command.h"
#include "vm/vm.h"

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
