/*
 * What takes room on this computer: each VM, each layer, downloads, and the rest of our folders. Counts what is allocated, and
 * each file once (lib/usage.h). Changes nothing, and neither starts a guest nor asks one.
 */
#pragma once

#include "operation/inventory.h"
#include "operation/stock.h"

/* A VM, its record readable or not. */
struct space_vm {
        int64_t bytes;      /* all that it takes, with the next two; first, as in the next structs, for sorting */
        int64_t disk_bytes; /* of its disk; 0 = not known */
        int64_t log_bytes;
        const struct inventory_entry *entry;
        char *removed_by; /* the command */
};

struct space_layer {
        int64_t bytes;          /* all that it takes, with its memory */
        size_t layer;           /* its place in stock.layers */
        size_t vms, layers;     /* how many stand on it, directly or through others; `vms` counts only if !stock.unread */
        const char *removed_by; /* the command; static. NULL = it is needed, or that isn't known */
};

/* Something else. */
struct space_place {
        int64_t bytes;
        const char *what;  /* "set aside", "downloads", "other" */
        const char *about; /* what that is, for people: static, or `path` */
        char *path;        /* NULL = it is in several places */
        char *removed_by;  /* the command; NULL = none is safe */
};

struct space {
        struct inventory inventory;
        struct stock stock;
        struct space_vm *vms; /* the largest first, as the next two */
        struct space_layer *layers;
        struct space_place *places;
        size_t vm_count, layer_count, place_count;
        int64_t total_bytes;
        bool whole;                           /* it has all there is, not just some VMs */
        int64_t prune_bytes, prune_all_bytes; /* what prune frees, without and with --all; -1 = not known */
};

#define SPACE_INIT                                                                                                             \
        {                                                                                                                      \
                .inventory = INVENTORY_INIT, .stock = STOCK_INIT, .prune_bytes = -1, .prune_all_bytes = -1                     \
        }
void space_clear(struct space *space);

/*
 * With `names`, only these VMs; ERROR_NOT_FOUND for a name that none has. What can't be read (a VM's record, layers, a folder)
 * is a warning: all else is still there.
 */
int space_take(struct front *front, const struct strv *names, struct space *out, struct error **err);
