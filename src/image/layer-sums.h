/*
 * The hashes of a layer's files, in LAYERS/KEY/SHA256SUMS, in the form of sha256sum(1). Written once, when the layer is made.
 * The manifest is not among them, because it can be made anew (layer-mend.h). Nor are a template's memory and state: these are
 * not needed by any VM, and the manifest says when they were changed.
 */
#pragma once

#include "lib/error.h"

/* Hashes all files in `folder` that are to stay as they are. */
int layer_sums_write(const char *folder, struct error **err);
/* Reads all files again. Returns 1 when they are as they were made; 0 for a layer without hashes, from before there were any;
 * -1 with ERROR_ENGINE, which names the file that has changed. */
int layer_sums_check(const char *folder, struct error **err);
