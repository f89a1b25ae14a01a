/*
 * Finds the project that a command is about: the operand's, else the checkout's (.machine.toml at or above the current folder),
 * else "default". A .machine.toml counts only when the user trusts it as it is now, and only for a name that no other project
 * has.
 */
#pragma once

#include "config/checkout-tree.h"
#include "config/project.h"
#include "operation/front.h"
#include "vm/vm.h"

struct target {
        char *name;
        char *again;     /* the command that goes on after a failure; NULL = "machine up NAME" */
        bool configured; /* `project` says what the user wants; false for a VM whose configuration is gone */
        char *renamed;   /* the name that the .machine.toml of the VM's checkout has by now; NULL = it has that of the VM */
        struct project project;
        struct projects projects;
        struct error *trouble;     /* why the configuration of target_existing() could not be used; NULL = it was */
        struct checkout_tree tree; /* what was trusted of the checkout; empty when the project has no checkout */
};

#define TARGET_INIT                                                                                                            \
        {                                                                                                                      \
                .project = PROJECT_INIT, .projects = PROJECTS_INIT, .tree = CHECKOUT_TREE_INIT                                 \
        }
void target_clear(struct target *target);

/*
 * For commands that make a VM: there has to be a configuration. When a file is not trusted, the front asks about it; when it
 * can't ask, this fails with ERROR_CONFIG and the hint 'machine trust'.
 */
int target_wanted(struct front *front, const char *name, struct target *out, struct error **err);
/* The same for `up`: a checkout that has no .machine.toml is offered one, unless the VM "default" is in use. */
int target_for_up(struct front *front, const char *name, struct target *out, struct error **err);
/*
 * For commands that need no configuration when the VM is there: `down`, `destroy`, and those that run something in it. A file
 * that can't be read, or that isn't trusted, is then no failure: the VM is found by its record, `configured` is false, and
 * `trouble` says why. Nothing is asked.
 */
int target_existing(struct front *front, const char *name, struct target *out, struct error **err);
/* The same for a command that changes a VM, which must be there: opens it and takes its lock. */
int target_open_locked(struct front *front, const char *name, struct target *target, struct vm *vm, struct error **err);
/* Warns of the trouble, if there is any, and of its consequence ("its secrets are not loaded"). */
void target_warn(struct front *front, const struct target *target, const char *consequence);
/* For commands on a VM that may have outlived its configuration: any name that has a VM or a configuration will do. */
int target_named(struct front *front, const char *name, struct target *out, struct error **err);
