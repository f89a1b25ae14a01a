#include "command/follow.h"

#include <poll.h>

#define FOLLOW_MS   500
#define LOOK_ROUNDS 10 /* of those, until it is asked again whether the VM runs */

int follow(const struct vm *vm, int (*look)(const struct vm *vm, void *data, struct error **err), void *data,
           struct error **err)
{
        for (unsigned round = 0; round % LOOK_ROUNDS != 0 || vm_runs(vm); round++) {
                if (look(vm, data, err) < 0)
                        return -1;
                poll(NULL, 0, FOLLOW_MS);
        }
        return 0;
}
