/*
 * What every helper gives up before it reads anything that a guest sent. Linux only. Each call affects this process and its
 * children, and can't be taken back. The list of system calls (seccomp) is each helper's own.
 */
#pragma once

#include "lib/error.h"

/* Allows no new privileges, no core dumps, and no capabilities except those in `kept` (bits). */
int confine_privileges(uint32_t kept, struct error **err);

/* Lowers both limits of setrlimit(2), for a resource of RLIMIT_…. */
int confine_resource(int resource, uint64_t most, struct error **err);

/* A file, or a folder with everything in it, and what may be done there: LANDLOCK_ACCESS_FS_…. */
struct confine_path {
        const char *path;
        uint64_t access;
};

/*
 * Applies Landlock (landlock(7)) with everything that this kernel's version of it can do: no file except those below `paths` (a
 * path that isn't there needs no rule), no TCP ports unless `tcp`, and with version 6 no signal to a process outside and no
 * abstract unix socket outside. A kernel without Landlock is success: *version is then 0, and a caller that needs to know says
 * so.
 */
int confine_landlock(const struct confine_path *paths, size_t count, bool tcp, int *version, struct error **err);
/* From this version on Landlock keeps signals and abstract unix sockets in. */
#define CONFINE_SCOPES 6
