/*
 * An engine runs VMs. The rest of the program uses it through one table of functions. It knows nothing of commands and
 * projects: it gets a `struct vm`, whose record says what is wanted, and a sink for its events.
 *
 * Order of calls: probe; then, under the VM's lock, create (idempotent: it finishes one that was killed), start, stop or
 * kill, remove. inspect and connect need no lock. A function that an engine can't offer is NULL, and the caller reports that.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"
#include "vm/record.h"

enum vm_state {
        VM_ABSENT,       /* no disk, no process */
        VM_STOPPED,      /* a disk and no process */
        VM_RUNNING,      /* a process lives, and runs the guest (which may still boot) */
        VM_PARKED,       /* no process, and the next start goes on with all that was in the guest's memory; or that is just
                            being saved */
        VM_BROKEN,       /* something is there that can't be used: vm_status.reason */
        VM_PAUSED,       /* a process lives, and the guest stands still: vm_status.reason. Nothing of it is lost */
        VM_UNRESPONSIVE, /* a process lives and does not answer: vm_status.reason */
};

struct vm_status {
        enum vm_state state;
        char *reason;         /* why it is VM_BROKEN, VM_PAUSED or VM_UNRESPONSIVE; else NULL */
        char *hint;           /* the way out of that; NULL = none is known */
        bool waits;           /* it goes on as it was, with all that is in its memory, once what the hint says is done */
        int64_t memory_bytes; /* resident on the host; 0 = not running or unknown */
        int64_t disk_bytes;   /* used on the host; 0 = unknown */
};

#define VM_STATUS_INIT                                                                                                         \
        {                                                                                                                      \
                .state = VM_ABSENT                                                                                             \
        }
void vm_status_clear(struct vm_status *status);
const char *vm_state_name(enum vm_state state); /* "absent", "stopped", … as in `list --json` */
/* "running", "paused: the host's disk is full (/home)". Owned by the caller. */
char *vm_status_text(const struct vm_status *status);
/* Does a process live that runs the VM, whether or not its guest can run at the moment? */
bool vm_state_is_alive(enum vm_state state);

struct vm;

/* The question what state a VM is in, and its answer. */
struct vm_inspection {
        const struct vm *vm;
        struct vm_status status; /* when there is no error */
        struct error *error;     /* why it could not be found out; owned by who asks */
};

/* What an engine finds on this computer. */
struct engine_probe {
        bool usable;
        char *version;      /* "QEMU 7.2.22", NULL when it isn't there */
        char *acceleration; /* "kvm", "tcg"; NULL = the engine doesn't say */
        char *note;         /* why not usable, or why slow; NULL = nothing to say */
        char *hint;         /* the command that fixes it */
};

#define ENGINE_PROBE_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void engine_probe_clear(struct engine_probe *probe);

/* A part of the line between guest and host that an engine can't hold. */
struct weaker_line {
        const char *id;   /* stable, for `list --json`: "host-loopback" */
        const char *text; /* for people: "the guest reaches …" */
        bool lan;         /* it concerns only what `lan = true` opens anyway */
};

/* An image that VMs' disks and other images stand on. */
struct engine_layer {
        char *key;
        char *kind;           /* "base", "recipe", "template", "snapshot"; "building", "unfinished", "damaged" */
        char *engine;         /* the only engine that makes VMs from it; NULL = any engine */
        char *parent;         /* key of the layer it stands on; NULL = none */
        struct strv lacks;    /* what it lacks of its recipe (config/recipe-lack.h) */
        char *about;          /* what it is, for people: "trixie for 'dev'", "2 cpus, 2.0 GiB" */
        char *created, *used; /* RFC 3339, UTC: when it was made, and when something was last made from it */
        char *uuid, *label;   /* of a snapshot: the VM's that it was made from, and what it is called; else NULL */
        int64_t disk_bytes;   /* on the host's disk */
        int64_t memory_bytes; /* on the host's disk, of a template's memory; 0 = it has none, or it was dropped */
        bool current; /* a new VM would be made from it; of a template: a new VM on its parent. An engine doesn't know what a
                         recipe's layer is for */
        bool held;    /* at this moment somebody builds it, or makes something from it */
        bool unsure;  /* damaged so that nothing tells what it stands on */
        /* Of a snapshot; else false */
        bool automatic;   /* nobody asked for it */
        bool kept;        /* it has not been dropped, so it stays whether anything stands on it or not */
        bool with_memory; /* the VM ran, and what was in its memory is there, if its key still is */
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

struct account;

/* What a filling came to. */
struct engine_filled {
        char *key;         /* of the layer */
        struct strv lacks; /* what it lacks of its recipe (config/recipe-lack.h) */
};

#define ENGINE_FILLED_INIT                                                                                                     \
        {                                                                                                                      \
                .lacks = STRV_INIT                                                                                             \
        }
void engine_filled_clear(struct engine_filled *filled);

/* A layer to be made by filling a throwaway VM. It belongs to no project, and has no project's code, key or secret. */
struct engine_filling {
        const char *parent;             /* key of the layer that it stands on */
        const char *key;                /* of what goes in; two fillings with the same key wait for each other */
        const char *about;              /* for people: "base", "profile rust" */
        const struct vm_record *record; /* user, shell, cpus and memory of the VM */
        /*
         * Fills the VM, which is up and reachable by sessions; the sessions are closed afterwards. Puts the layer's final key
         * into out->key: by then it may be known better what went in. When it fails or is killed, the next filling with that
         * key gets the VM as it was left.
         */
        int (*fill)(const struct vm *vm, void *data, struct event_sink *events, struct engine_filled *out, struct error **err);
        void *data;
};

/* A process on this computer that runs a VM. */
struct engine_process {
        pid_t pid;
        const char *role; /* "QEMU", "machine-net": static */
        bool guest;       /* the guest runs in it, and would be in it after breaking out of its virtual hardware */
};

#define ENGINE_PROCESSES_MOST 8

struct engine_processes {
        struct engine_process items[ENGINE_PROCESSES_MOST];
        size_t count;
};

/* Does anything need this layer now? Called under its lock. Returns 1, 0, or -1 when that can't be found out. */
typedef int (*engine_in_use_fn)(const char *key, void *data, struct error **err);

/* What a running VM has lost on this computer, in words for people ("its network"); NULL = nothing. */
struct engine_lost {
        const char *now;   /* start() puts it right at once */
        const char *later; /* the guest does without it until it is stopped and started */
};

/* A snapshot to be taken. */
struct engine_snapshot {
        const char *label;
        bool automatic; /* nobody asked for it, so it may be dropped without asking */
};

/* What a running guest has done until now. Two looks show whether it is idle. */
struct engine_activity {
        int64_t cpu_ms;   /* processor time that its process has used */
        int64_t moved_ms; /* when bytes last passed on a connection of the guest's, by now_ms(); 0 = unknown */
};

/* A log of a VM that an engine keeps outside the VM's folder. */
struct engine_log {
        const char *name; /* for users: "console" */
        const char *file; /* in engine->folder() */
};

struct engine {
        const char *name;                 /* as users write it */
        const struct engine_log *logs;    /* ends with one without name; NULL = all are in the VM's folder, in logs/ */
        const struct weaker_line *weaker; /* ends with one without id; NULL = it holds the whole line */
        bool takes_image; /* it makes a VM from its own copy of any image (record.image), shared with no other VM */
        bool renames;     /* a stopped VM is all in its folder, and stays whole when that gets another name */
        bool grows_disk;  /* a start enlarges the disk to record.disk_bytes, when that is more than before */

        /* Finds out whether it can run VMs here. Fails only when that can't be found out. */
        int (*probe)(struct engine_probe *out, struct error **err);
        /* Makes the VM's disk from record.layer, or from the base image (built first when it is missing). Sets record.base;
         * the caller writes the record. */
        int (*create)(struct vm *vm, struct event_sink *events, struct error **err);
        /* Boots the VM and waits until the guest has its identity and its sshd answers. On failure the VM is stopped again
         * and its logs are kept. Succeeds when it already runs; what it has lost meanwhile (`lost`) is put right. */
        int (*start)(struct vm *vm, struct event_sink *events, struct error **err);
        /* Asks the guest to shut down; kills it after a time limit, and says so. Succeeds when it is already stopped. */
        int (*stop)(struct vm *vm, struct event_sink *events, struct error **err);
        int (*kill)(struct vm *vm, struct error **err);
        /* Removes disk and runtime files of a stopped VM; the VM's folder stays for the caller. Refuses while it runs. */
        int (*remove)(struct vm *vm, struct error **err);
        /* Never guesses: fills in the state, or returns -1 when it can't be found out. */
        int (*inspect)(const struct vm *vm, struct vm_status *out, struct error **err);
        /* A connected descriptor to the guest's sshd, nothing read from it yet. */
        int (*connect)(const struct vm *vm, int *fd, struct error **err);
        /* The folder of its disk. Owned by the caller. */
        char *(*folder)(const struct vm *vm);
        /* The processes of a running VM. */
        int (*processes)(const struct vm *vm, struct engine_processes *out, struct error **err);

        /*
         * For a VM whose record can't be read: vm->name and vm->folder are set. Returns 1 when a disk of this engine's is
         * there, and puts what that says of itself into `out` (uuid, disk_bytes, base; else they are left alone). Returns 0
         * when there is none.
         */
        int (*remains)(const struct vm *vm, struct vm_record *out, struct error **err);

        /* --- optional: NULL where the engine has no such thing */

        /* Applies the record's rules for what the guest may reach (egress, allow) to a running VM; they are in force when it
         * returns. NULL: the guests reach everything. */
        int (*change_rules)(const struct vm *vm, struct error **err);
        /* What the guest has reached and what it was refused since its VM was started. NULL when `change_rules` is. */
        int (*account)(const struct vm *vm, struct account *out, struct error **err);

        /*
         * Saves a running guest with its memory and ends its process. start() goes on with it; where that can't be, it boots,
         * and says in a warning what was lost. When it fails, the guest runs as before. NULL: guests can't be parked.
         */
        int (*park)(struct vm *vm, struct event_sink *events, struct error **err);
        /* Looks at what a running guest does, without disturbing it. NULL when `park` is. */
        int (*activity)(const struct vm *vm, struct engine_activity *out, struct error **err);
        /*
         * Takes a snapshot of the VM: its disk, and its memory if it runs or is parked. The VM is afterwards as it was, and
         * stands on a new layer of the kind "snapshot", of which *key becomes the key, owned by the caller. NULL: there are no
         * snapshots.
         */
        int (*snapshot)(struct vm *vm, const struct engine_snapshot *wanted, struct event_sink *events, char **key,
                        struct error **err);
        /* Makes a VM that doesn't run the one that it was at a snapshot. What it was is lost, unless that is a snapshot too.
         * The next start goes on with the guest, if the snapshot has one. NULL when `snapshot` is. */
        int (*go_back)(struct vm *vm, const char *key, struct event_sink *events, struct error **err);
        /* Drops a snapshot. As long as a VM's disk stands on it, only its memory is removed, and the rest by a later prune.
         * NULL when `snapshot` is. */
        int (*drop_snapshot)(const char *key, struct error **err);
        /*
         * Lets a guest that is paused go on. Succeeds also when it runs, or when the VM is not alive. Fails with the reason
         * when the guest is paused all the same, or the VM does not answer. Needs no lock. NULL: no guest is ever paused.
         */
        int (*resume)(const struct vm *vm, struct error **err);
        /* Finds out what a running VM has lost: a process of ours that was killed, a file of ours that was removed. NULL: that
         * is the engine's own affair. */
        int (*lost)(const struct vm *vm, struct engine_lost *out, struct error **err);
        /* Makes the clock of a running guest right, for a session that is about to begin. Says in a warning what it couldn't
         * do. NULL: the guest's clock is the engine's own affair. */
        void (*settle_clock)(const struct vm *vm, struct event_sink *events);

        /* inspect() for `count` VMs at once, by one question where that answers for all. Fills in status or error of each. */
        void (*inspect_many)(struct vm_inspection *const *items, size_t count);

        /* Finds out whether one of our programs has lately refused the guest a connection to this address and port. Returns 1
         * with the reason in one word, owned by the caller; 0 when not; -1 when that can't be found out. */
        int (*refused)(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err);

        /* Lists the layers. `user` is the guest's user, needed to tell which layers are current; NULL = don't find that out,
         * which saves time. */
        int (*layers)(const char *user, struct engine_layers *out, struct error **err);
        /* Finds the base image for a guest user, with further Debian packages (NULL = none): returns 1 with its key in *key,
         * owned by the caller. With `make` a missing one is built. Returns 0 when it is missing or can't be had. */
        int (*base_layer)(const char *user, const struct strv *packages, bool make, struct event_sink *events, char **key,
                          struct error **err);
        /* Returns 1 when `layer` is `below` or stands on it, else 0; -1 on failure. A layer on the base image `below` with
         * further packages counts as standing on `below`. */
        int (*stands_on)(const char *layer, const char *below, struct error **err);
        /* Is there a layer with this key? Returns 1, 0, or -1 for one that is damaged. */
        int (*has_layer)(const char *key, struct error **err);
        /* Finds the layer, or makes it when it is missing. Puts its key into *key, owned by the caller. */
        int (*fill_layer)(const struct engine_filling *filling, struct event_sink *events, char **key, struct error **err);
        /* Appends the keys of the layers that VMs' disks stand on directly, whichever engine runs them, and the VM's name for
         * each. Fails when that can't be told of a VM. */
        int (*needs)(struct strv *keys, struct strv *owners, struct error **err);
        /* Looks whether a layer can be used: its manifest, and that its files are there. With `read_all` its content, too.
         * Returns 1 when all of its content is as it was made; 0 when that was not asked or isn't known; -1 with what is
         * wrong. */
        int (*check_layer)(const char *key, bool read_all, struct error **err);
        /*
         * Mends a damaged layer: returns 0 when it can be used now. Returns 1 when it was removed with all that stands on it,
         * because no VM needs it; -1 with an error that names the VMs that do. `bad_content`: what its files hold is known to
         * be wrong.
         */
        int (*mend_layer)(const char *key, bool bad_content, struct event_sink *events, struct error **err);
        /* Removes what a killed filling left outside its layer folder. `name` is the key of the "unfinished" layer. Succeeds
         * without removing anything when the filling still runs. */
        int (*abandon)(const char *name, struct error **err);
        /* Builds in advance what a VM with `record` (user, shell, cpus, memory, layer) would be made from; `force`: again. */
        int (*bake)(const struct vm_record *record, bool force, struct event_sink *events, struct error **err);
        /* Is there already what `bake` would build on record.layer (NULL = the base image)? Returns 1, 0, or -1. NULL when
         * `bake` is. */
        int (*baked)(const struct vm_record *record, struct error **err);
        /*
         * Removes a layer and returns 1. Returns 0 and leaves the layer alone when it is in use: by what `in_use` finds, by
         * another layer or by a running build. With `memory_only` only a template's memory is removed; the VMs that stand on
         * its disk keep the disk.
         */
        int (*remove_layer)(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err);
};

/* Appends what `engine` can't hold, for a VM with or without `lan`. Each list may be NULL. */
void engine_weaker_lines(const struct engine *engine, bool lan, struct strv *ids, struct strv *texts);
