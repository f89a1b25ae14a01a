/*
 * Builds QEMU's command line. Pure: the result depends on nothing but the arguments. It opens no TCP port, no display and no
 * monitor for people. Sources: QEMU's qemu-options.hx; "opt/machine/identity" is described in guest/README.md.
 */
#pragma once

#include "lib/strv.h"

enum arguments_architecture { ARCHITECTURE_X86_64, ARCHITECTURE_AARCH64 };

#ifdef __aarch64__
#define ARCHITECTURE_HOST ARCHITECTURE_AARCH64
#else
#define ARCHITECTURE_HOST ARCHITECTURE_X86_64
#endif

struct arguments {
        enum arguments_architecture architecture;
        const char *program; /* absolute path */
        const char *machine; /* a machine type with a version, "pc-q35-7.2" */
        bool kvm;
        const char *name;
        int64_t cpus, memory_bytes;
        const char *memory_file; /* the guest's memory; NULL = anonymous */
        bool memory_shared;      /* what the guest writes goes into that file */
        bool memory_read_only;   /* that file is opened for reading only, for a private mapping (from QEMU 8.2 on) */
        bool incoming;           /* waits for saved devices instead of booting */
        bool bare;               /* and these are without a description of the machine (moment.h) */
        bool halted;             /* waits for "cont" before it boots */
        const char *kernel, *initrd, *disk;
        const char *uuid;       /* of the VM, with hyphens */
        const char *agent_pipe; /* two named pipes: AGENT.in, which QEMU reads, and AGENT.out (qemu/agent.h) */
        const char *console;    /* the file that the guest's console is written to, or a pipe */
        const char *identity;   /* the file with the guest's identity */
        int frames_fd;          /* a listening unix socket; who connects to it carries the guest's frames, one at a time */
        int qmp_fd, look_fd;    /* listening unix sockets: QMP for long work, and for short questions */
        int resume_fd; /* the same; the identity comes through it, for a template and VMs restored from it; 0 = there is none */
};

void arguments_build(const struct arguments *arguments, struct strv *argv);

/* "qemu-system-x86_64"; and "q35", the machine type of which the newest version is taken. */
const char *arguments_program_name(enum arguments_architecture architecture);
const char *arguments_machine_name(enum arguments_architecture architecture);
/* The versioned type that `alias` stands for in what `-machine help` prints. Owned by the caller; NULL when it isn't there. */
char *arguments_parse_machine(const char *help, const char *alias);
/* "7.2.22" from what `--version` prints; major and minor as numbers. Owned by the caller; NULL when it isn't there. */
char *arguments_parse_version(const char *text, int *major, int *minor);
