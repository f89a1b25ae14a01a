/*
 * Can the kernel run guests with the processor's own virtualisation? The device file alone says little: it can be there without
 * access rights, or without the hardware. So a VM is really made (and let go again).
 */
#pragma once

#include "lib/util.h"

struct acceleration {
        bool kvm;
        char *note; /* why not; NULL with kvm */
        char *hint; /* what fixes it; NULL = nothing does */
};

#define ACCELERATION_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void acceleration_find(struct acceleration *out);
void acceleration_clear(struct acceleration *acceleration);
