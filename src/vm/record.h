/*
 * The record of a VM, VMS/NAME/vm.json: what the VM was made from and what is being done to it. It doesn't say whether the VM
 * runs: only the engine knows that. `intent` is written before something is done, so that a killed run can be finished:
 *
 *         INTENT_CREATE   its disk may be half made: create again from nothing
 *         INTENT_SETUP    the disk is there; identity or repos may be missing: go on
 *         INTENT_NONE     complete
 *         INTENT_DESTROY  being removed: finish that first
 *
 * Beside it is a copy, for a record that is damaged or lost: a VM's disk alone doesn't say what the VM may reach.
 */
#pragma once

#include <stdint.h>

#include "lib/error.h"
#include "lib/strv.h"

#define VM_RECORD_FILE "vm.json"
#define VM_RECORD_COPY "vm.json.copy"

enum vm_intent { INTENT_NONE, INTENT_CREATE, INTENT_SETUP, INTENT_DESTROY };

struct vm_port {
        uint16_t host, guest;
};

struct vm_record {
        enum vm_intent intent;
        char *name;
        char *becomes; /* the name that its folder is about to get; NULL = none. Such a record is valid under both (vm_rename())
                        */
        char *former;  /* the name that it had, and that some file elsewhere may still have; NULL = none */
        char *owner;   /* who may use this name: "projects.toml", or the checkout's folder (absolute) */
        char *fork_of; /* what the VM that it was forked from was called then; NULL = it is no fork */
        char *checkout; /* of a fork: the checkout (absolute) of the VM that it was forked from; NULL = none */
        bool race;      /* it was forked for a race (operation/race.h), and not kept */
        char *engine;
        char *uuid;    /* also the guest's machine-id (without hyphens) */
        char *user;    /* the guest's user */
        char *shell;   /* "zsh", "bash" */
        char *created; /* RFC 3339, UTC */
        int64_t cpus, memory_bytes, disk_bytes;
        bool forward_agent, confirm, lan;
        char *egress;        /* "open", "allow", "none"; NULL = open */
        struct strv allow;   /* rules (lib/egress-rule.h) of "allow" */
        struct strv clients; /* "@npm RULE": what the guest's package clients use, asked once (guest/clients.h) */
        bool ask_clients;    /* they have not been asked yet, and the guest has no code of the project yet */
        bool host_ca;        /* it was given this computer's CA certificates (config/recipe-ca.h) */
        char *park_after;    /* idle for how long before it is parked (lib/park.h); NULL = as long as is usual */
        char *wake_on;       /* what wakes it then; NULL = what is usual */
        bool cold;           /* booted, never restored from a warm template */
        bool next_anew;      /* with next_base: the guest that was parked until now doesn't go on (qemu/snapshot.h) */
        struct vm_port *ports;
        size_t port_count;
        struct strv profiles, repos; /* as in the configuration; repos[0] is where sessions land */
        struct strv keys;            /* the keys of the lent agent that may be used (agent_key_option()); empty = all */
        struct strv needed_keys;     /* fingerprints of keys, used when `keys` is empty (guest/lend.h); empty = all */
        struct strv key_hosts;       /* hosts that the keys may log in to, as known_hosts names them; empty = all hosts */
        struct strv setup;           /* folders of repos that are in the guest but not set up yet (guest/setup.h) */
        char *git;         /* hash of what git in the guest was told about who commits (guest/commits.h); NULL = nothing yet */
        char *recipe;      /* hash of the recipe that it was filled with (recipe_hash()); NULL = none yet */
        struct strv lacks; /* what it lacks of that, since optional steps failed (config/recipe-lack.h) */
        char *image, *image_digest; /* as in the configuration: made from this image; NULL = from the base image */
        char *layer;                /* key of the layer that its recipe has become; NULL = it is made from the base image */
        char *next_base;            /* the same, which its disk is just being moved to (qemu/snapshot.h); NULL = none */
        char *base; /* key of the layer its disk stands on: a base, a recipe's, or a template on one; NULL until known */
};

#define VM_RECORD_INIT                                                                                                         \
        {                                                                                                                      \
                0                                                                                                              \
        }
void vm_record_clear(struct vm_record *record);
/* The keys of the agent that it is lent, as agent_key_option() takes them: `keys`, or `needed_keys` when that is empty; none =
 * all. */
const struct strv *vm_record_keys(const struct vm_record *record);
/* Makes `to` another record with the same content. */
void vm_record_copy(const struct vm_record *from, struct vm_record *to);
/* The checkout on this computer that it, or what it was forked from, was made from; NULL = none. Borrowed. */
const char *vm_record_checkout(const struct vm_record *record);
/* How long it is idle before it is parked, in milliseconds; -1 = it never is. */
int64_t vm_record_park_ms(const struct vm_record *record);
/* Reads FOLDER/vm.json and checks every field. ERROR_NOT_FOUND when there is no such file; ERROR_ENGINE when it is whole, but
 * of another version. */
int vm_record_read(const char *folder, struct vm_record *out, struct error **err);
bool vm_record_check(const char *folder); /* can it be read? */
/* The same as vm_record_read() with the copy, which is as the record was when it was last written. */
int vm_record_read_copy(const char *folder, struct vm_record *out, struct error **err);
/* Writes FOLDER/vm.json as a whole, by rename, and then the copy. */
int vm_record_write(const char *folder, const struct vm_record *record, struct error **err);
