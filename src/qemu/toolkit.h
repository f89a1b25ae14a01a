/*
 * The programs that a start needs: QEMU, the versioned machine type to ask it for, and bubblewrap where it works.
 */
#pragma once

#include "lib/error.h"
#include "qemu/sandbox.h"

struct toolkit {
        char *qemu;       /* absolute path */
        char *version;    /* the first line of what `--version` prints */
        int major, minor; /* of it */
        char *machine;    /* "pc-q35-7.2" */
        char *bubblewrap; /* absolute path; NULL = QEMU runs without it */
        char *note;       /* why without; NULL with it */
};

#define TOOLKIT_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
/*
 * Starts QEMU, inside of bubblewrap, which shows both that this works here and what machines there are. What was found is
 * kept in the cache folder (toolkit.json) for as long as neither program changes and the host isn't restarted.
 */
int toolkit_find(struct toolkit *out, struct error **err);
void toolkit_clear(struct toolkit *toolkit);
/* Is QEMU of that version or a later one? */
bool toolkit_is_since(const struct toolkit *toolkit, int major, int minor);
/* Can it map a memory file privately that it opened for reading only? Source: QEMU 8.2, qapi/qom.json, "rom". */
bool toolkit_maps_read_only(const struct toolkit *toolkit);
/* After a start that failed: what was found is not believed any longer. */
void toolkit_forget(void);

/* QEMU's absolute path, symlinks resolved. Not installed: ERROR_ENGINE with a hint. Owned by the caller. */
char *toolkit_qemu(struct error **err);
/* The whole environment of the programs we start. */
extern const char *const toolkit_environment[];
