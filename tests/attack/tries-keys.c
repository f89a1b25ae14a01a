#include "keys/harden.h"
#include "tries.h"

int confine_as_the_helper(struct error **err)
{
        struct keys_walls walls;

        return keys_harden(&walls, err);
}
