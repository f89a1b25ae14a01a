/*
 * Saves a stopped guest's devices to an open file, and loads them from it again. The guest's memory is not in that file: it is
 * in a file of its own that is mapped (the capability "x-ignore-shared").
 *
 *         save:  -object memory-backend-file,…,share=on           stop; migration_save(); quit
 *         load:  -incoming defer, the same memory by share=off    migration_load(); cont
 *
 * QEMU is handed the file's descriptor, so that its sandbox may forbid it to open files and start programs. From 8.2 on QEMU
 * wants such a file in a set of descriptors and a "file:" address. Older versions have no "file:", and "fd:" takes any
 * descriptor there.
 * Sources: QEMU's docs/devel/migration, qapi/migration.json.
 */
#pragma once

#include "qemu/qmp.h"
#include "qemu/toolkit.h"

int migration_save(struct qmp *qmp, const struct toolkit *toolkit, int fd, deadline limit, struct error **err);
int migration_load(struct qmp *qmp, const struct toolkit *toolkit, int fd, deadline limit, struct error **err);
/* The same with a pipe's end in place of a file, for a stream that has the guest's memory in it. */
int migration_save_stream(struct qmp *qmp, int fd, deadline limit, struct error **err);
int migration_load_stream(struct qmp *qmp, int fd, deadline limit, struct error **err);
