/*
 * A moment of a guest that runs: what is in its memory, and the state of its devices. Both are sealed (lib/sealed.h) with a key
 * that only this login's memory has (host/login-key.h), because a guest's memory holds the project's secrets.
 *
 *         FOLDER/about.json   what it can be loaded into
 *         FOLDER/memory       the pages that differ from the template's memory, or from zero
 *         FOLDER/devices      as QEMU wrote it
 *
 * Where the kernel doesn't let us read QEMU's memory (pages.h), `memory` is empty and `devices` is QEMU's whole stream, with
 * all of the guest's memory in it. That takes longer and more room.
 *
 * The disk is not part of it: nothing may write to the disk between the moment and its loading.
 */
#pragma once

#include "lib/deadline.h"
#include "lib/json.h"
#include "qemu/launch.h"

struct moment {
        char *folder;
        char *key_name; /* of its key */
        char *shape;    /* hash (shape.h) */
        char *memory;   /* the template's memory file, of which the pages differ; NULL = from zero */
        json_t *stamp;  /* of that file when the VM was saved (template_stamp()); NULL without one */
        bool restored;  /* from a template once, so it has the port for that (arguments.resume_fd) */
        bool whole;     /* QEMU's whole stream */
        char *uuid;     /* of the VM that was saved */
        bool copied;    /* from another moment: that guest's connections are not this one's */
};

#define MOMENT_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void moment_clear(struct moment *moment);

/*
 * Saves the guest, which QEMU has stopped (QMP "stop"), into `folder`, which must not be there. QEMU is as before afterwards,
 * and can let the guest go on. On failure nothing is left.
 */
int moment_save(const struct vm *vm, const struct runtime *runtime, struct qmp *qmp, const char *folder, struct error **err);
/* Reads what the moment needs. ERROR_NOT_FOUND when there is none. */
int moment_open(const char *folder, struct moment *out, struct error **err);
/* Is its key still there? Returns 1, 0 when it can never be loaded again, or -1. */
int moment_has_key(const struct moment *moment, struct error **err);
/*
 * Fails (ERROR_ENGINE) when it can't be loaded into a QEMU that is about to be started for this VM by `launch`: another QEMU,
 * another size, another template.
 */
int moment_fits(const struct moment *moment, const struct launch *launch, struct error **err);
/* What launch_start() needs to start that QEMU, with launch.halted. */
struct launch_memory moment_memory(const struct moment *moment);
/* Loads it. The guest then stands still until QEMU is told to go on. */
int moment_load(const struct moment *moment, const struct launch *launch, struct qmp *qmp, struct error **err);
/* Makes another moment of it for `vm`, with a key of its own. The content takes no room twice. */
int moment_copy(const char *from, const char *to, const struct vm *vm, struct error **err);
/* Does a parked VM or a snapshot need this template's memory? Returns 1, 0 or -1. */
int moment_needs(const char *template_memory, struct error **err);
/* Removes the moment, if there is one, and its key. */
int moment_forget(const char *folder, struct error **err);
