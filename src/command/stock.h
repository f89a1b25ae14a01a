/*
 * The layers of all engines, and who needs them, for the commands that show and remove them.
 */
#pragma once

#include "command/command.h"
#include "plan/prune.h"
#include "vm/vm.h"

struct stock {
        struct engine_layers layers;
        struct strv used;   /* keys that VMs' disks stand on … */
        struct strv owners; /* … and the VM's name for each */
};

#define STOCK_INIT                                                                                                             \
        {                                                                                                                      \
                .layers = ENGINE_LAYERS_INIT, .used = STRV_INIT, .owners = STRV_INIT                                           \
        }
/*
 * A record that can't be read is an error: nobody knows what that VM stands on. A recipe's layer
 * is current when a project of projects.toml, of this checkout, or none would have it; one that can't be read has no say, and
 * a warning.
 */
int stock_take(struct context *context, struct stock *out, struct error **err);
void stock_clear(struct stock *stock);

/* Carries the steps out, each asked about once more under its lock. `freed` counts bytes. What is in use by now is passed over
 * with a note. */
int stock_prune(const struct engine_layers *layers, const struct prune *prune, struct event_sink *events, int64_t *freed,
                struct error **err);
/* After a VM was made: templates beyond the budget of config.toml lose their memory. Trouble with that is a warning. */
void stock_trim(struct event_sink *events);
