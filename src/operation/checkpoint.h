/* Snapshots that nobody asked for: one before each agent's session, to undo what the agent did. */
#pragma once

#include "operation/snapshot.h"
#include "vm/account.h"

/* So many of a VM's automatic snapshots are kept; the oldest go. */
#define CHECKPOINTS_KEPT 5

/* Takes one, labelled "before WHAT". That it can't be taken is a warning: nobody is kept from their work. An engine that takes
 * no snapshots is passed over. Takes the VM's lock and gives it back. */
void checkpoint_take(struct front *front, struct vm *vm, const char *what);
/* The newest one of checkpoint_take(). ERROR_NOT_FOUND when there is none. */
const struct engine_layer *checkpoint_newest(const struct vm *vm, const struct snapshots *snapshots, struct error **err);
/* Is this a connection by which something has left the VM since then (seconds since 1970)? */
bool checkpoint_left_since(const struct account_line *line, int64_t since);
