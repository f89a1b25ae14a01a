/*
 * Which project a command is about: the operand's, else the checkout's (.machine.toml at or above the current folder), else
 * "default". A .machine.toml counts only when the user trusts it as it is now, and only for a name that isn't another's.
 */
#pragma once

#include "command/command.h"
#include "config/checkout-tree.h"
#include "config/project.h"
#include "vm/vm.h"

struct target {
        char *name;
        bool configured; /* `project` says what the user wants; false for a VM whose configuration is gone */
        struct project project;
        struct projects projects;
        struct checkout_tree tree; /* what was trusted of the checkout; empty where the project is none's */
};

#define TARGET_INIT                                                                                                            \
        {                                                                                                                      \
                .project = PROJECT_INIT, .projects = PROJECTS_INIT, .tree = CHECKOUT_TREE_INIT                                 \
        }
void target_clear(struct target *target);

/*
 * For commands that make a VM: there has to be a configuration. On a terminal an untrusted file is shown and asked about;
 * elsewhere it is an ERROR_CONFIG with the hint 'machine trust'.
 */
int target_wanted(struct context *context, const char *name, struct target *out, struct error **err);
/* For commands on a VM that may have outlived its configuration: any name goes that has a VM or a configuration. */
int target_named(struct context *context, const char *name, struct target *out, struct error **err);

/* Shows all that a checkout would have acted on and asks whether to trust it (`yes`: no question). Used by `trust` and on the
 * way to `up`. */
int target_trust(struct context *context, const char *checkout, bool yes, struct error **err);
