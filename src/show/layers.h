/* Layers as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/stock.h"

/* An entry of `snapshots`. */
json_t *show_snapshot(const struct engine_layer *snapshot);
/* An entry of `layers`: layer number `i` of the stock, with the VMs whose disks stand on it. */
json_t *show_layer(const struct stock *stock, size_t i);
/* An entry of `prune`: a layer that would be removed. */
json_t *show_prune_step(const struct stock *stock, const struct prune_step *step);
