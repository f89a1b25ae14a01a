/*
 * What there is of a VM: its instance's folder and disk, what Lima lists of it, and which of the processes that Lima names live
 * and are this VM's. Lima believes its pid files: after a restart of the host they can name anybody's process.
 */
#pragma once

#include "lima/listing.h"
#include "vm/vm.h"

enum look_state {
        LOOK_NOTHING,    /* no folder */
        LOOK_REMNANT,    /* a folder without a disk: a making that was interrupted, or a disk that was taken away */
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
        bool stale;             /* a pid file names a process that isn't */
};

#define LOOK_INIT                                                                                                              \
        {                                                                                                                      \
                .listing = LISTING_INIT                                                                                        \
        }
void look_clear(struct look *look);
/* Never guesses: -1 when something could not be found out. */
int look_at(const struct vm *vm, struct look *out, struct error **err);
/* Does Lima's definition say that this instance was made for this very VM, and not for one that had its name before? */
bool look_is_ours(const struct look *look, const struct vm *vm);

/*
 * Puts right what keeps Lima from seeing or starting the instance: a definition that it can't read is written anew from the
 * VM's folder, pid files that name others' processes are removed. `look` is taken anew.
 */
int look_mend(const struct vm *vm, struct look *look, struct error **err);
/* The definition that the VM was made from, with the ports that its record has now; for Lima's own copy of it. `ssh_port` as
 * system_choose_port() gave it. */
int look_write_definition(const struct vm *vm, const struct look *look, uint16_t ssh_port, struct error **err);

/* VM folder/lima.json: the definition. Owned by the caller. */
char *look_definition_path(const struct vm *vm);
/* VM folder/lima-ready: which run of the VM was found up. Whatever ends a run removes it first. Owned by the caller. */
char *look_ready_path(const struct vm *vm);
