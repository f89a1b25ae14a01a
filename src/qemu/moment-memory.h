/* The part of a moment (moment.h) that is the guest's memory, page by page. */
#pragma once

#include "lib/deadline.h"
#include "qemu/qmp.h"
#include "qemu/toolkit.h"

/* A QEMU whose guest stands still, and which is saved or loaded. */
struct moment_source {
        struct qmp *qmp;
        const struct toolkit *toolkit;
        pid_t qemu;
        uint64_t memory_bytes;
        bool from_file; /* the guest's memory is a private mapping of a template's file */
        deadline limit;
};

/* Writes the pages that the guest has to itself to `fd`, sealed. ERROR_NOT_FOUND when the kernel doesn't let us read them. */
int moment_memory_save(const struct moment_source *source, int fd, const uint8_t *key, struct error **err);
/* Puts them into a QEMU that waits for its devices. `file`: the template's memory; NULL = none. */
int moment_memory_load(const struct moment_source *source, const char *file, int fd, const uint8_t *key, struct error **err);
