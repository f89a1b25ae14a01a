#include "command/engines.h"

#include "lima/lima.h"
#ifdef __linux__
#include "qemu/qemu.h"
#endif

const struct engine *const engines[] = {
#ifdef __linux__
        &qemu_engine,
#endif
        &lima_engine,
        NULL,
};
