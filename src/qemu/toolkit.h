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
 * Starts QEMU inside bubblewrap, which shows both that this works here and which machine types there are. What was found is
 * kept in the cache folder (toolkit.json) until one of the programs changes or the host is restarted.
 */
int toolkit_find(struct toolkit *out, struct error **err);
void toolkit_clear(struct toolkit *toolkit);
/* Is this QEMU that version or a later one? */
bool toolkit_is_since(const struct toolkit *toolkit, int major, int minor);
/* Can QEMU privately map a memory file that it opened for reading only? Source: QEMU 8.2, qapi/qom.json, "rom". */
bool toolkit_maps_read_only(const struct toolkit *toolkit);

/* QEMU's absolute path, symlinks resolved. Not installed: ERROR_ENGINE with a hint. Owned by the caller. */
char *toolkit_qemu(struct error **err);
/* The whole environment of the programs we start. */
extern const char *const toolkit_environment[];
