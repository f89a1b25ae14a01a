/*
 * A project's VM: its folder, its record, its lock, and the engine that runs it.
 *
 *         VM_INIT -> vm_open() (by name; the record is read when there is one) -> vm_lock() before anything changes the VM ->
 *         vm->engine->… and vm_save() -> vm_clear() (releases the lock)
 *
 * Files: $XDG_STATE_HOME/machine/vms/NAME/ (0700): vm.json, id_ed25519, host_key, known_hosts, ssh_config, disk.qcow2,
 * logs/. The lock is vms/NAME.lock, outside the folder, so that removing the folder doesn't take it away from a waiter.
 */
#pragma once

#include "lib/lock.h"
#include "vm/engine.h"

struct vm {
        char *name;
        char *folder;
        const struct engine *engine; /* of the record; NULL while there is no record */
        struct vm_record record;
        pid_t warming; /* ssh, which opens the shared connection (guest/session.h); 0 = none */
        struct lock lock;
        char *damage;       /* why its record can't be read: `record` is from its copy, or imagined; NULL = it was read */
        bool imagined;      /* by vm_imagine(), and not saved yet */
        bool exists;        /* there is a record */
        bool from_template; /* the engine's last start restored it from a warm template */
        bool woken;         /* the engine's last start went on with a guest that was parked */
};

#define VM_INIT                                                                                                                \
        {                                                                                                                      \
                .record = VM_RECORD_INIT, .lock = LOCK_INIT                                                                    \
        }

/* main gives the NULL-ended table of engines once; this module knows no engine itself. */
void vm_set_engines(const struct engine *const *engines);
const struct engine *vm_find_engine(const char *name); /* NULL = there is no such engine */
const struct engine *const *vm_engines(void);
/* The first engine that holds the whole line between guest and host; NULL = this build has none. */
const struct engine *vm_whole_engine(void);

/*
 * Fills in folder and record. An empty or missing folder is success with exists = false. A record that can't be read is taken
 * from its copy; without one, that is an error, whose hint names the command that makes a new record. So is a folder that has
 * something in it, and no record.
 */
int vm_open(struct vm *vm, const char *name, struct error **err);
/* The same for a VM that must be there: ERROR_NOT_FOUND "no VM 'x'" with a hint. */
int vm_open_existing(struct vm *vm, const char *name, struct error **err);
/*
 * The same for who can do without the record. Returns 0 like vm_open(), or 1 with name and folder alone when the record can't
 * be read and has no copy; *damage is then why, owned by the caller. Fails for a record that is whole, but of another program.
 */
int vm_open_damaged(struct vm *vm, const char *name, char **damage, struct error **err);
/* Puts `record` (taken over) in place of one that can't be read. It is written by the first vm_save(), which sets the damaged
 * one aside. */
void vm_imagine(struct vm *vm, struct vm_record *record, const char *damage);
/* Takes the lock (a note says so when it has to wait), then reads the record again. Makes vms/ when it is missing. A
 * record that was read from its copy is written anew, with a note. */
int vm_lock(struct vm *vm, struct event_sink *events, struct error **err);
/* The same for a VM that can wait: returns 1, or 0 when somebody else has the lock. */
int vm_try_lock(struct vm *vm, struct event_sink *events, struct error **err);
/* Writes the record, and makes the folder when it is missing. Needs the lock. */
int vm_save(struct vm *vm, struct error **err);
/* Sets record.intent and saves. */
int vm_intend(struct vm *vm, enum vm_intent intent, struct error **err);
/* Calls engine->inspect. A VM without a record is absent, with any engine. */
int vm_inspect(const struct vm *vm, struct vm_status *out, struct error **err);
/* vm_inspect() for several VMs, of which `vm` is set. An engine that can answers for all of its own with one question. */
void vm_inspect_many(struct vm_inspection *items, size_t count);
/* engine->resume; an engine whose guests are never paused has nothing to do. */
int vm_resume(const struct vm *vm, struct error **err);
/* An error of ERROR_ENGINE that says what state it is in, with the way out. Returns -1. */
int vm_refuse_state(const struct vm *vm, const struct vm_status *status, struct error **err);
/* engine->change_rules; an engine that can't hold rules has nothing to change. */
int vm_change_rules(const struct vm *vm, struct error **err);
/* engine->lost of a running VM. */
int vm_find_lost(const struct vm *vm, struct engine_lost *out, struct error **err);
/* engine->settle_clock, where the engine has it. */
void vm_settle_clock(const struct vm *vm, struct event_sink *events);
/* Returns true when it is known that a process runs it: false also when that can't be found out. */
bool vm_runs(const struct vm *vm);
/*
 * Is somebody else making it at this moment? Its record says that it is not complete, and a process holds its lock. A run that
 * was killed left the record, but not the lock. False also when that can't be found out.
 */
bool vm_is_being_made(const struct vm *vm);
#define VM_CREATING "creating" /* what its state is then called, beside vm_state_name() */
/* Does somebody else hold its lock? False also when that can't be found out. */
bool vm_is_busy(const struct vm *vm);
/*
 * Gives it the name of `place`, which was opened by that name, doesn't exist, and is locked. The folder is renamed in one step:
 * a process that is killed leaves a VM with one of the names, whole. On success `vm` has the place's lock, and record.former is
 * the name that it had. Needs the lock, and a VM that is stopped and whose engine `renames`.
 */
int vm_rename(struct vm *vm, struct vm *place, struct error **err);
/* Removes the folder. Needs the lock, and a VM that was inspected as stopped or absent after engine->remove. */
int vm_forget(struct vm *vm, struct error **err);
void vm_clear(struct vm *vm);

/* The hint for a VM that can't be used any more: how to keep all that is there, and begin anew. */
int vm_hint_aside(const struct vm *vm, struct error **err);

/* "machine-NAME". Owned by the caller. */
char *vm_alias(const char *name);
/* The names of all VMs, sorted: of the folders that have anything in them. */
int vm_list(struct strv *names, struct error **err);
