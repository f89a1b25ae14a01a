/*
 * Looks at a VM: its instance's folder and disk, what Lima lists of it, and which of the processes that Lima names are alive
 * and this VM's. Lima believes its pid files, but after a restart of the host they can name anybody's process.
 */
#pragma once

#include "lima/listing.h"
#include "vm/vm.h"

enum look_state {
        LOOK_NOTHING,    /* no folder */
        LOOK_REMNANT,    /* a folder without a disk: its making was interrupted, or the disk was taken away */
        LOOK_UNREADABLE, /* a disk without a definition that Lima can read: whether it runs isn't known */
        LOOK_STOPPED,    /* a disk and no process */
        LOOK_HALF,    /* the host agent or the guest's process lives, the other doesn't: a start or stop under way, or one that
                         was cut off */
        LOOK_RUNNING, /* both live, whether or not the guest is up */
};

struct look {
        enum look_state state;
        char *folder, *disk;
        struct listing listing; /* from LOOK_UNREADABLE on; agent and driver are 0 for a process that isn't this VM's */
        bool stale;             /* a pid file names a process that isn't this VM's */
};

#define LOOK_INIT                                                                                                              \
        {                                                                                                                      \
                .listing = LISTING_INIT                                                                                        \
        }
void look_clear(struct look *look);
/* Never guesses: fails when something can't be found out. */
int look_at(const struct vm *vm, struct look *out, struct error **err);
/* Asks Lima once for the instances of several VMs, for look_at_listed(). What is missing there, look_at_listed() asks for. */
void look_list(struct vm_inspection *const *items, size_t count, struct strbuf *out);
int look_at_listed(const struct vm *vm, const struct strbuf *list, struct look *out, struct error **err);
/* Does Lima's definition say that this instance was made for this very VM, and not for one that had its name before? */
bool look_is_ours(const struct look *look, const struct vm *vm);

/*
 * Repairs what keeps Lima from seeing or starting the instance: rewrites a definition that it can't read from the VM's folder,
 * and removes pid files that name others' processes. Then fills in `look` again.
 */
int look_mend(const struct vm *vm, struct look *look, struct error **err);
/* Writes Lima's own copy of the definition: the one that the VM was made from, with what its record has now
 * (definition_follow()). `ssh_port` is that of system_choose_port(). */
int look_write_definition(const struct vm *vm, const struct look *look, uint16_t ssh_port, struct error **err);

/* VM folder/lima.json: the definition. Owned by the caller. */
char *look_definition_path(const struct vm *vm);
/* VM folder/lima-ready says which run of the VM was found up. Whatever ends a run removes it first. Owned by the caller. */
char *look_ready_path(const struct vm *vm);
