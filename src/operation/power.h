/* Switches an existing VM on and off. All of it needs the VM's lock. */
#pragma once

#include "operation/front.h"
#include "vm/vm.h"

/* Writes anew what sessions need and can be told again: its ssh configuration and which host key is pinned. */
int power_refresh(const struct vm *vm, struct error **err);
/* Boots it. Its ssh configuration, its rules and damaged keys are written first. A VM that runs is not booted again. */
int power_boot(struct front *front, struct vm *vm, struct error **err);
/* The same for a command that only wants to use the VM: fails with ERROR_ENGINE when the VM is half made or half removed. */
int power_start(struct front *front, struct vm *vm, struct error **err);
/* Saves its guest with its memory and ends its process. `was_running`: false for a VM that doesn't run, which is left alone. */
int power_park(struct front *front, struct vm *vm, bool *was_running, struct error **err);
/* The same for a guest that has been idle for `after_ms` (operation/idle.h), whose VM nobody is working on. Takes the VM's
 * lock.
 */
int power_park_idle(struct front *front, struct vm *vm, int64_t after_ms, bool *parked, struct error **err);
/* Goes on with a guest that is parked (vm->woken). Any other VM is left alone. */
int power_wake(struct front *front, struct vm *vm, struct error **err);
/* Stops it if it runs. One that is parked is woken and then stopped. `was_running` may be NULL. */
int power_stop(struct front *front, struct vm *vm, bool *was_running, struct error **err);
/* Makes `ssh machine-NAME` work, in the user's own ssh configuration. */
int power_publish(const struct vm *vm, struct error **err);
