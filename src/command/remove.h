/*
 * What destroy and rebuild do before they remove a VM: check that no work is lost or save it, and ask the user.
 */
#pragma once

#include "command/command.h"
#include "vm/vm.h"

struct remove_options {
        struct common_options common;
        bool yes, discard_work;
        const char *save;
};

#define REMOVE_OPTIONS                                                                                                         \
        OPTION(struct remove_options, yes, "yes", 'y', OPTION_FLAG, NULL, "don't ask"),                                        \
                OPTION(struct remove_options, discard_work, "discard-work", 0, OPTION_FLAG, NULL,                              \
                       "discard what exists only in the VM"),                                                                  \
                OPTION(struct remove_options, save, "save", 0, OPTION_TEXT, "FILE",                                            \
                       "first save what exists only in the VM, for 'machine up --from'"),                                      \
                COMMON_OPTIONS(struct remove_options)

/* Checks for work, asks `question`, saves the work if that is wanted, removes. `command` names the calling command in hints. */
int remove_vm(struct context *context, struct vm *vm, const struct remove_options *given, const char *question,
              const char *command, struct error **err);
