/*
 * What runs VMs, behind one table of functions. An engine knows nothing of commands and projects: it gets a `struct vm`
 * whose record says what is wanted, and a sink for what happens meanwhile.
 *
 * Order of calls: probe; then under the VM's lock create (idempotent: finishes a killed one), start, stop or kill, remove.
 * inspect and connect need no lock. What an engine can't do is NULL, and the caller says so.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"
#include "vm/record.h"

enum vm_state {
        VM_ABSENT,  /* no disk, no process */
        VM_STOPPED, /* a disk and no process */
        VM_RUNNING, /* a process lives (the guest may still boot) */
        VM_PARKED,  /* memory on disk */
        VM_BROKEN,  /* something is there that can't be used: vm_status.reason */
};

struct vm_status {
        enum vm_state state;
        char *reason;         /* of VM_BROKEN; else NULL */
        int64_t memory_bytes; /* resident on the host; 0 = not running or unknown */
        int64_t disk_bytes;   /* used on the host; 0 = unknown */
};

#define VM_STATUS_INIT                                                                                                         \
        {                                                                                                                      \
                .state = VM_ABSENT                                                                                             \
        }
void vm_status_clear(struct vm_status *status);
const char *vm_state_name(enum vm_state state); /* "absent", "stopped", … as in `list --json` */

/* What a machine offers an engine. */
struct engine_probe {
        bool usable;
        char *version;      /* "QEMU 7.2.22", NULL when it isn't there */
        char *acceleration; /* "kvm", "tcg"; NULL = the engine doesn't say */
        char *note;         /* why not usable, or why slow; NULL = nothing to say */
        char *hint;         /* the command that mends it */
};

#define ENGINE_PROBE_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void engine_probe_clear(struct engine_probe *probe);

/* Something of the line between guest and host that an engine can't hold. */
struct weaker_line {
        const char *id;   /* stable, for `list --json`: "host-loopback" */
        const char *text; /* for people: "the guest reaches …" */
        bool lan;         /* is about what `lan = true` opens anyway */
};

/* An image that VMs' disks stand on, and further images. */
struct engine_layer {
        char *key;
        char *kind;           /* "base", "recipe", "template"; "unfinished", "damaged" */
        char *engine;         /* whose VMs are made from it, if not any's; NULL */
        char *parent;         /* key of the layer it stands on; NULL = none */
        char *about;          /* what it is, for people: "trixie for 'dev'", "2 cpus, 2.0 GiB" */
        char *created, *used; /* RFC 3339, UTC: when it was made, and when something was last made from it */
        int64_t disk_bytes;   /* on the host's disk */
        int64_t memory_bytes; /* the same, of a template's memory; 0 = it has none, or it was dropped */
        bool current; /* what a new VM would be made from; of a template: on its parent. What a recipe's layer is for, no
                         engine knows */
};

struct engine_layers {
        struct engine_layer *items;
        size_t count;
};

#define ENGINE_LAYERS_INIT                                                                                                     \
        {                                                                                                                      \
                0                                                                                                              \
        }
void engine_layers_clear(struct engine_layers *layers);

struct vm;

/* A layer that a throwaway VM is filled for: it belongs to nobody, and has no project's code, key or secret. */
struct engine_filling {
        const char *parent;             /* key of the layer that it stands on */
        const char *key;                /* of what goes in: two of one key wait for each other */
        const char *about;              /* for people: "base", "profile rust" */
        const struct vm_record *record; /* user, shell, cpus and memory of the VM */
        /*
         * Fills the VM, which is up and reachable by sessions; those are closed again afterwards. The key that the layer is to
         * have goes into *key, owned by the caller: what went in may be known better by then. When it fails or is killed, the
         * next filling of that key gets the VM as it was left.
         */
        int (*fill)(const struct vm *vm, void *data, struct event_sink *events, char **key, struct error **err);
        void *data;
};

/* A process of this computer that runs a VM. */
struct engine_process {
        pid_t pid;
        const char *role; /* "QEMU", "machine-net": static */
        bool guest;       /* what the guest runs in, and what it would be in if it broke out of its virtual hardware */
};

#define ENGINE_PROCESSES_MOST 8

struct engine_processes {
        struct engine_process items[ENGINE_PROCESSES_MOST];
        size_t count;
};

/* Does anything need this layer now? Asked under its lock. 1, 0, or -1 when that could not be found out. */
typedef int (*engine_in_use_fn)(const char *key, void *data, struct error **err);

struct engine {
        const char *name;                 /* "qemu", "lima" */
        const struct weaker_line *weaker; /* ended by one without id; NULL = it holds all of it */
        bool takes_image; /* it makes a VM from a copy of any image (record.image), that shares nothing with another's */

        bool holds_rules; /* what a guest may reach (record.egress) */
        bool grows_disk;  /* a start enlarges the disk to record.disk_bytes, where that is more than before */

        /* Can it run VMs here? Fails only when that could not be found out. */
        int (*probe)(struct engine_probe *out, struct error **err);
        /* Makes the VM's disk from record.layer, or from the base image (built first where it is missing). record.base is set.
         * The caller writes the record. */
        int (*create)(struct vm *vm, struct event_sink *events, struct error **err);
        /* Boots and waits until the guest's sshd answers, its identity applied. On failure it is stopped again, its logs kept.
         * Running: success. */
        int (*start)(struct vm *vm, struct event_sink *events, struct error **err);
        /* Asks the guest to shut down; kills it after a limit (and says so). Stopped: success. */
        int (*stop)(struct vm *vm, struct event_sink *events, struct error **err);
        int (*kill)(struct vm *vm, struct error **err);
        /* Removes disk and runtime files of a stopped VM; the VM's folder stays for the caller. Refuses while it runs. */
        int (*remove)(struct vm *vm, struct error **err);
        /* Never guesses: an answer, or -1 when it could not be asked. */
        int (*inspect)(const struct vm *vm, struct vm_status *out, struct error **err);
        /* A connected descriptor to the guest's sshd, nothing read from it yet. */
        int (*connect)(const struct vm *vm, int *fd, struct error **err);
        /* Where its disk is. Owned by the caller. */
        char *(*folder)(const struct vm *vm);
        /* Those of a VM that runs. */
        int (*processes)(const struct vm *vm, struct engine_processes *out, struct error **err);

        /* --- optional: NULL where the engine has no such thing */

        /* Has the guest lately been refused a connection to there by a program of ours? 1 with the reason in one word, owned by
         * the caller; 0; -1 when that could not be found out. */
        int (*refused)(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err);

        /* The layers there are. `user` is the guest's, by which a current one is known; NULL = nobody asks for that, which
         * takes time. */
        int (*layers)(const char *user, struct engine_layers *out, struct error **err);
        /* The base image for a guest user, with further Debian packages (NULL = none): 1 with its key in *key, owned by the
         * caller. `make`: built when it is missing; else, and where such a one can't be had, 0. */
        int (*base_layer)(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
                          struct error **err);
        /* Does `layer` stand on `below`, or is it that one? So does what stands on the base image `below` with further
         * packages. 1, 0, -1. */
        int (*stands_on)(const char *layer, const char *below, struct error **err);
        /* Is there a layer of that key? 1, 0, or -1 for one that is damaged. */
        int (*has_layer)(const char *key, struct error **err);
        /* The layer, made when it is missing; its key into *key, owned by the caller. */
        int (*fill_layer)(const struct engine_filling *filling, struct event_sink *events, char **key, struct error **err);
        /* Removes what a killed filling, by its "unfinished" layer's key, left elsewhere than in its folder. One that goes on:
         * success. */
        int (*abandon)(const char *name, struct error **err);
        /* Builds ahead what a VM with `record` (user, shell, cpus, memory, layer) would be made from; `force`: anew. */
        int (*bake)(const struct vm_record *record, bool force, struct event_sink *events, struct error **err);
        /*
         * Removes a layer: 1. Left alone because it is in use, by `in_use`, another layer or a running build: 0. With
         * `memory_only` a template loses its memory, and the VMs that stand on its disk keep that.
         */
        int (*remove_layer)(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err);
};

/* Appends what is weaker with `engine`, for a VM with or without `lan`. Each list may be NULL. */
void engine_weaker_lines(const struct engine *engine, bool lan, struct strv *ids, struct strv *texts);
