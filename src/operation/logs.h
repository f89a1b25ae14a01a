/*
 * The logs of a VM: every file NAME.log in its folder logs/, and those that its engine writes elsewhere (engine->logs). What is
 * in them was written by the guest or by others, so it is shown only as plain text (vm/console.h).
 */
#pragma once

#include "lib/error.h"
#include "vm/vm.h"

struct log_file {
        char *name; /* "console", "net" */
        char *path;
        int64_t bytes;
};

struct logs {
        struct log_file *items; /* the console's first, the others by name */
        size_t count;
};

#define LOGS_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void logs_clear(struct logs *logs);

/* Lists the logs that there are. A VM that never ran has none. */
int logs_find(const struct vm *vm, struct logs *out, struct error **err);
/* The log with this name, or NULL. */
const struct log_file *logs_get(const struct logs *logs, const char *name);
/* The names, with ", " between them. Owned by the caller. */
char *logs_names(const struct logs *logs);
