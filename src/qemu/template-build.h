/*
 * Makes a template: boots a VM without a project from the layer, in the folder that becomes the template's.
 * guest/template/warm runs in it (guest/README.md says what it does), then it is stopped and saved. It ends with us.
 */
#pragma once

#include "qemu/template.h"

struct template_build {
        const struct template_wish *wish;
        const char *inputs; /* the hash that template_fits() compares */
        const char *key;
};

/* For layer_ensure(); `data` is a struct template_build. */
extern const struct layer_builder template_builder;

/* The size of a file that must never change, and the time of its last change, which no program can set, as the manifest has
 * them. Owned by the caller; NULL with an error. */
json_t *template_stamp(const char *path, struct error **err);
