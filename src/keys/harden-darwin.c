#include "keys/harden.h"

int keys_harden(pid_t child _unused_, struct error **err _unused_)
{
        return 0;
}
