/*
 * A VM's disk: what it writes, on top of a layer that it only reads.
 */
#pragma once

#include "image/layer.h"
#include "qemu/qmp.h"
#include "qemu/toolkit.h"

/* Makes `path`, whole or not at all, on the disk of `layer`. Its size is `bytes`, or the layer's size if that is more. An
 * existing disk is replaced. */
int disk_make(const char *path, const struct layer *layer, int64_t bytes, struct error **err);
/* The same for the disk of a layer that will lie beside `layer`. It finds the one below wherever both are moved to. */
int disk_make_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err);
/*
 * Checks by their headers that the disk, and each layer below it, is what disk_make() made. A guest's QEMU may have written
 * anything there, and whoever opens a disk opens what it names. So call this before QEMU or another program opens the disk;
 * nothing may run on it. `bytes`: the size that the VM should have; *now (may be NULL) becomes the size that it has.
 */
int disk_inspect(const char *path, const struct layer *layer, int64_t bytes, int64_t *now, struct error **err);
/* The same for a disk of disk_make_beside(). */
int disk_inspect_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err);
/* Enlarges the disk to `bytes`. The QEMU that runs on it does that, in its own confinement. */
int disk_grow(struct qmp *qmp, int64_t bytes, deadline limit, struct error **err);
/* Fails when a disk of disk_make_beside() that a killed QEMU left is not whole. qemu-img checks it, confined as QEMU is.
 * Source: qemu-img(1), "check". */
int disk_check(const char *path, const struct layer *layer, int64_t bytes, const struct toolkit *toolkit, struct error **err);
/*
 * Does a QEMU that runs write to this disk? It says so by a lock of its own on the file, which it has whatever became of other
 * files. Source: QEMU, docs/system/images ("Disk image file locking"), and block/file-posix.c: the byte of each permission.
 */
bool disk_is_written(const char *path);
/* Removes the disk and what a killed disk_make() left. */
int disk_remove(const char *path, struct error **err);
