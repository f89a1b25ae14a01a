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
/* Stops it if it runs. `was_running` may be NULL. */
int power_stop(struct front *front, struct vm *vm, bool *was_running, struct error **err);
/* Makes `ssh machine-NAME` work, in the user's own ssh configuration. */
int power_publish(const struct vm *vm, struct error **err);
