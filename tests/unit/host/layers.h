/* Layers as files in the test's own data folder. */
#pragma once

#include "scratch.h"

#include "image/layer.h"

static int layers_setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        setenv("XDG_DATA_HOME", *state, 1);
        return 0;
}

/* Writes a file of the layer `key`. */
static void layers_put(const char *key, const char *name, const char *text)
{
        _cleanup_(freep) char *folder = layer_folder(key);
        _cleanup_(freep) char *path = path_join(folder, name);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(path, text);
}

static void layers_put_base(const char *key)
{
        _cleanup_(freep) char *manifest = xasprintf("{\"kind\": \"base\", \"key\": \"%s\", \"disk_bytes\": 3221225472}", key);

        layers_put(key, "manifest.json", manifest);
        layers_put(key, "disk.qcow2", "disk");
        layers_put(key, "vmlinuz", "kernel");
        layers_put(key, "initrd", "initrd");
}
