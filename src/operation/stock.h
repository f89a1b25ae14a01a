/*
 * The layers of all engines, and who needs them, for the commands that show and remove them.
 */
#pragma once

#include "operation/front.h"
#include "plan/prune.h"
#include "vm/vm.h"

struct stock {
        struct engine_layers layers;
        struct strv used;   /* keys of the layers that VMs' disks stand on … */
        struct strv owners; /* … and the VM's name for each */
        /* Why it isn't known what VMs or projects need; NULL = it is. Then nothing may be removed. Owned by the stock. */
        struct error *unread;
};

#define STOCK_INIT                                                                                                             \
        {                                                                                                                      \
                .layers = ENGINE_LAYERS_INIT, .used = STRV_INIT, .owners = STRV_INIT                                           \
        }
/*
 * A VM whose record can't be read is judged by its disk. A recipe's layer is current when a project of projects.toml, the
 * project of this checkout, or the built-in one would have it. A project that can't be read is a warning, and does not count.
 */
int stock_take(struct front *front, struct stock *out, struct error **err);
void stock_clear(struct stock *stock);
/* Warns when it isn't known what is needed. */
void stock_warn_unread(const struct stock *stock, struct event_sink *events);
/* The names of the VMs whose disks stand directly on a layer. */
void stock_owners(const struct stock *stock, const char *key, struct strv *out);

/* Carries the steps out, and checks each once more under its lock. `freed` counts bytes. What is in use by now is skipped with
 * a note. */
int stock_prune(const struct engine_layers *layers, const struct prune *prune, struct event_sink *events, int64_t *freed,
                struct error **err);
/* Removes a layer if nothing needs it. Returns 1, 0 when something does, or -1. */
int stock_remove_unused(const char *key, struct error **err);
/* After a VM was made: takes the memory from templates that exceed the budget of config.toml. A failure is only a warning. */
void stock_trim(struct event_sink *events);
