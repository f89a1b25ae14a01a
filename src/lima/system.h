/*
 * What Lima does differently on Linux and on macOS: the driver that runs the guest, what has to be installed beside Lima, and
 * what it has to be told of the processor. system-linux.c and system-darwin.c.
 */
#pragma once

#include "lib/strv.h"
#include "vm/engine.h"

/* As Lima names it. */
#ifdef __aarch64__
#define SYSTEM_ARCHITECTURE "aarch64"
#else
#define SYSTEM_ARCHITECTURE "x86_64"
#endif

struct system_tool {
        const char *program;
        const char *hint; /* the command that installs it */
};

/* What Lima and the base image need besides; ended by one without program. */
extern const struct system_tool system_tools[];
/* "qemu", "vz" */
extern const char system_driver[];

/* Says by what guests run, and why slowly. */
void system_find_acceleration(struct engine_probe *out);
/* Adds what Lima's environment must have where it would choose hardware virtualisation that isn't there. */
void system_add_emulation(struct strv *environment);
