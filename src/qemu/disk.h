/*
 * A VM's disk: what it writes, on top of a layer that it only reads.
 */
#pragma once

#include "image/layer.h"

/* Makes `path`, whole or not at all, on the disk of `layer`, of `bytes` or the layer's size if that is more. One that is there
 * is replaced. */
int disk_make(const char *path, const struct layer *layer, int64_t bytes, struct error **err);
/* The same for a layer that will lie beside the other: it then finds it wherever both are moved to. */
int disk_make_beside(const char *path, const struct layer *layer, int64_t bytes, struct error **err);
/* To `bytes`, if it has less. Nothing may have it open. */
int disk_grow(const char *path, int64_t bytes, struct error **err);
/* Is the one that a killed QEMU left whole? Otherwise an error. Source: qemu-img(1), "check". */
int disk_check(const char *path, struct error **err);
/* Removes it with what a killed disk_make() left. */
int disk_remove(const char *path, struct error **err);
