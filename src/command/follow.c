#include "command/follow.h"

#include <poll.h>

#include "lib/interrupt.h"

#define FOLLOW_MS   500
#define LOOK_ROUNDS 10 /* looks between two checks whether the VM still runs */

int follow(const struct vm *vm, int (*look)(const struct vm *vm, void *data, struct error **err), void *data,
           struct error **err)
{
        for (unsigned round = 0; round % LOOK_ROUNDS != 0 || vm_runs(vm); round++) {
                int seen = look(vm, data, err);

                if (seen != 0)
                        return seen < 0 ? -1 : 0;
                poll(&(struct pollfd){ .fd = interrupt_fd(), .events = POLLIN }, 1, FOLLOW_MS);
        }
        return 0;
}
