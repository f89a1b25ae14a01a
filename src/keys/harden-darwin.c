#include "keys/harden.h"

int keys_harden(struct keys_walls *walls, struct error **err _unused_)
{
        *walls = (struct keys_walls){ 0 };
        return 0;
}
