/*
 * A project's VM: its folder, its record, its lock, and the engine that runs it.
 *
 *         VM_INIT -> vm_open() (by name; the record is read when there is one) -> vm_lock() for whatever changes it ->
 *         vm->engine->… and vm_save() -> vm_clear() (releases the lock)
 *
 * Files: $XDG_STATE_HOME/machine/vms/NAME/ (0700): vm.json, id_ed25519, host_key, known_hosts, ssh_config, disk.qcow2,
 * logs/. The lock is vms/NAME.lock, outside the folder, so that removing the folder never takes it from a waiter.
 */
#pragma once

#include "lib/lock.h"
#include "vm/engine.h"

struct vm {
        char *name;
        char *folder;
        const struct engine *engine; /* of the record; NULL while there is none */
        bool exists;                 /* a record was read */
        struct vm_record record;
        bool forked; /* the engine's last start restored it from a warm template */
        struct lock lock;
};

#define VM_INIT                                                                                                                \
        {                                                                                                                      \
                .record = VM_RECORD_INIT, .lock = LOCK_INIT                                                                    \
        }

/* Engines are named in a NULL-ended table given once by main (vm knows none of them). */
void vm_set_engines(const struct engine *const *engines);
const struct engine *vm_find_engine(const char *name); /* NULL = no such */
const struct engine *const *vm_engines(void);

/* Fills in folder and record. No record is success with exists = false; an unreadable one is an error. */
int vm_open(struct vm *vm, const char *name, struct error **err);
/* The same for a VM that must be there: ERROR_NOT_FOUND "no VM 'x'" with a hint. */
int vm_open_existing(struct vm *vm, const char *name, struct error **err);
/* Takes the lock (saying in a note that it waits), then reads the record anew. A missing folder of vms/ is made. */
int vm_lock(struct vm *vm, struct event_sink *events, struct error **err);
/* Writes the record (the folder is made). Needs the lock. */
int vm_save(struct vm *vm, struct error **err);
/* Sets record.intent and saves. */
int vm_intend(struct vm *vm, enum vm_intent intent, struct error **err);
/* engine->inspect with what holds for all: no record and no folder = absent. */
int vm_inspect(const struct vm *vm, struct vm_status *out, struct error **err);
/* Does it run, as far as that can be found out? */
bool vm_runs(const struct vm *vm);
/* Removes the folder. Needs the lock, and a VM that was inspected as stopped or absent after engine->remove. */
int vm_forget(struct vm *vm, struct error **err);
void vm_clear(struct vm *vm);

/* "machine-NAME". Owned by the caller. */
char *vm_alias(const char *name);
/* The names of all VMs that have a record, sorted. */
int vm_list(struct strv *names, struct error **err);
