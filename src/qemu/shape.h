/*
 * All that a saved guest depends on besides its memory and its disk: QEMU's version and its command line as it is for every VM
 * of that kind, and under KVM this computer's processor. A guest that was saved under one shape can be loaded under no other.
 */
#pragma once

#include "lib/hash.h"
#include "qemu/toolkit.h"

struct shape {
        const struct toolkit *toolkit;
        bool kvm;
        int64_t cpus, memory_bytes;
        bool from_template; /* it was restored from one, so it has a port more (arguments.resume_fd) */
};

void shape_hash(struct hash *hash, const struct shape *shape);
