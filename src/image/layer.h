/*
 * Layers: immutable folders of the data folder, each named by its key, the hash of all that went into it.
 *
 *         $XDG_DATA_HOME/machine/layers/KEY/manifest.json    "kind" (base, recipe, template, snapshot), "key",
 *                                                            "disk_bytes", "parent", …; "plain" of a base with further
 *                                                            packages: the key of the one without
 *                                       KEY/disk.qcow2       stands on its parent's disk, if it has a parent. Lima's disks
 *                                                            stand alone, and may have another name (the manifest's "disk")
 *                                       KEY/vmlinuz, initrd  of a base
 *                                       KEY/memory, state    of a template (template.h)
 *                                       KEY/moment           of a snapshot (qemu/snapshot.h)
 *                                       KEY/SHA256SUMS       the hashes of what is above (layer-sums.h)
 *                                       KEY.lock             exclusive: a process builds or removes the layer; shared: it
 *                                                            makes a disk on the layer. Its time of modification is when the
 *                                                            layer was last used
 *
 * A layer is made under its lock, so that two builders wait for each other. It is made in a folder beside its place, which is
 * renamed when the layer is whole. So what a killed build leaves is never taken for a layer, and the next builder removes it.
 */
#pragma once

#include <stdint.h>

#include "lib/event.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/strv.h"

#define LAYER_DISK "disk.qcow2"

/* A kind that was made from one VM and not from a recipe (qemu/snapshot.h). The guest's memory is in the folder below. */
#define LAYER_SNAPSHOT        "snapshot"
#define LAYER_SNAPSHOT_MOMENT "moment"

struct layer {
        char *key;
        char *kind; /* "base", "recipe", "template", "snapshot" */
        char *folder;
        char *disk;            /* absolute path, as the next two */
        char *kernel, *initrd; /* of the base at the bottom; NULL on a foreign image (manifest's "image"), which has its own */
        char *plain;           /* key of the base without further packages, when the one at the bottom has some; else NULL */
        int64_t disk_bytes;    /* virtual size of `disk`: VMs' disks are at least as large */
        struct strv folders;   /* of this layer, then of each layer below it: QEMU has to read them */
        json_t *manifest;
};

#define LAYER_INIT                                                                                                             \
        {                                                                                                                      \
                .folders = STRV_INIT                                                                                           \
        }
void layer_clear(struct layer *layer);

/*
 * Looks for a layer. Returns 1 with `out` filled in; 0 when there is none with this key; -1 when it is damaged, or a layer
 * below it is damaged or missing: ERROR_ENGINE, which says what to do.
 */
int layer_find(const char *key, struct layer *out, struct error **err);
/* Opens a layer that must be there (from a VM's record). When it is missing, ERROR_ENGINE says what that means for the VM. */
int layer_open(const char *key, struct layer *out, struct error **err);

/* The same, but mends one that is damaged, where that can be done (layer-mend.h), with a note. */
int layer_open_mended(const char *key, struct event_sink *events, struct layer *out, struct error **err);
/* Reads from the manifest alone which layer it stands on. Returns 1 with the key in *parent, owned by the caller; 0 when it
 * stands on none; -1 when the manifest can't be used. */
int layer_parent(const char *key, char **parent, struct error **err);

/* How one kind of layer is made. */
struct layer_builder {
        const char *what;       /* "the base image", for progress */
        const char *kind;       /* also the id of its step */
        const char *doing;      /* "building the base image" */
        const char *build_name; /* what it is called in host/builds.h; NULL = its cost is not kept */
        bool resumes;           /* the next build goes on from what a failed or killed one left in its folder */
        /* Puts all files into `folder` (0700, there already). `lock` guards it: a program that may outlive us must hold it
         * too. */
        int (*build)(void *data, const char *folder, const struct lock *lock, struct event_sink *events, struct error **err);
        /* Called after build(). Returns the layer's final key, when that was not known before; borrowed. NULL = the key that
         * was asked for is final. If there is a layer with the final key by then, that one is taken. */
        const char *(*became)(void *data);
        /* Removes from `folder` what doesn't belong to the layer, also what a killed build left. */
        int (*tidy)(const char *folder, struct error **err);
};
/* Finds the layer, or builds it when it is missing. One that is damaged is mended (layer-mend.h), or made anew when no VM needs
 * it. out->key is its final key. */
int layer_ensure(const char *key, const struct layer_builder *builder, void *data, struct event_sink *events, struct layer *out,
                 struct error **err);

/* Takes the lock shared: waits for a builder or remover, and keeps others from removing the layer. Marks it as used now. */
int layer_use(const char *key, struct lock *lock, struct error **err);

/* The value of `key` in its manifest; "" or 0 when there is none. */
const char *layer_text(const struct layer *layer, const char *key);
int64_t layer_number(const struct layer *layer, const char *key);

/* What the files in a layer's folder take on the host's disk. */
int64_t layer_bytes(const char *folder);

/* LAYERS/KEY, LAYERS/KEY.lock. Owned by the caller. */
char *layer_folder(const char *key);
char *layer_lock_path(const char *key);
/* Makes a file read-only and syncs it to the disk. */
int layer_seal(const char *path, struct error **err);
