/*
 * Layers: immutable folders of the data folder, each named by its key, the hash of all that went into it.
 *
 *         $XDG_DATA_HOME/machine/layers/KEY/manifest.json   "kind" (base, recipe, template), "key", "disk_bytes", "parent", …
 *                                       KEY/disk.qcow2      stands on its parent's disk, if it has a parent; Lima's stand
 *                                                           alone, and one may have another name (the manifest's "disk")
 *                                       KEY/vmlinuz, initrd   of a base; one with further packages names the one
 *                                                           without (the manifest's "plain")
 *                                       KEY/memory, state     of a template (template.h)
 *         $XDG_DATA_HOME/machine/layers/KEY.lock            exclusive: who builds or removes it; shared: who makes a disk on
 * it. Its time of modification: when the layer was used last
 *
 * A layer is made in a folder beside its place and renamed when it is whole (a killed build leaves nothing that is later taken
 * for a layer; the next builder removes what it left), under its lock, so that two builders wait for each other.
 */
#pragma once

#include <stdint.h>

#include "lib/event.h"
#include "lib/json.h"
#include "lib/lock.h"
#include "lib/strv.h"

#define LAYER_DISK "disk.qcow2"

struct layer {
        char *key;
        char *kind; /* "base", "recipe", "template" */
        char *folder;
        char *disk;            /* absolute path, as the next two */
        char *kernel, *initrd; /* of the base at the bottom; NULL on a foreign image (the manifest's "image"), with its own */
        char *plain;           /* key of the base without further packages, where that at the bottom has some; else NULL */
        int64_t disk_bytes;    /* virtual size of `disk`: VMs' disks are at least that */
        struct strv folders;   /* of this layer and all that it stands on: what QEMU has to read */
        json_t *manifest;
};

#define LAYER_INIT                                                                                                             \
        {                                                                                                                      \
                .folders = STRV_INIT                                                                                           \
        }
void layer_clear(struct layer *layer);

/*
 * Looks for a layer: 1 with `out` filled in, 0 when there is none of this key. -1: something is there that is not whole, or
 * what it stands on isn't; ERROR_ENGINE that says what to do.
 */
int layer_find(const char *key, struct layer *out, struct error **err);
/* A layer that must be there (from a VM's record). Missing: ERROR_ENGINE that says what that means for the VM. */
int layer_open(const char *key, struct layer *out, struct error **err);

/* How one kind of layer is made. */
struct layer_builder {
        const char *what; /* "the base image", for the progress; also its step's id is `kind` */
        const char *kind;
        const char *doing; /* "building the base image (once; about a minute)" */
        bool resumes;      /* what a failed or killed build left is the next one's to go on from, in its folder */
        /* Puts all files into `folder` (0700, there already). `lock` guards it: a program that may outlive us holds on to it.
         */
        int (*build)(void *data, const char *folder, const struct lock *lock, struct event_sink *events, struct error **err);
        /* After build(): the key that the layer is to have, where that was not known before; borrowed. NULL = as it was asked
         * for. If there is one of that key by then, that one is taken. */
        const char *(*became)(void *data);
        /* Removes from `folder` what is not the layer's, also of a build that was killed. */
        int (*tidy)(const char *folder, struct error **err);
};
/* The layer, built when it is missing; out->key says which it has become. */
int layer_ensure(const char *key, const struct layer_builder *builder, void *data, struct event_sink *events, struct layer *out,
                 struct error **err);

/* Waits for a builder or remover, and keeps others from removing the layer while the lock is held. Marks it as used now. */
int layer_use(const char *key, struct lock *lock, struct error **err);

/* What its manifest says; "" and 0 where it doesn't. */
const char *layer_text(const struct layer *layer, const char *key);
int64_t layer_number(const struct layer *layer, const char *key);

/* LAYERS/KEY, LAYERS/KEY.lock. Owned by the caller. */
char *layer_folder(const char *key);
char *layer_lock_path(const char *key);
/* Read-only, and on disk. */
int layer_seal(const char *path, struct error **err);
