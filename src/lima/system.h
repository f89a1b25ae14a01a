/*
 * What Lima does differently on Linux and on macOS: the driver that runs the guest, what has to be installed beside Lima, and
 * what Lima has to be told about the processor. system-linux.c and system-darwin.c.
 */
#pragma once

#include "lib/strv.h"
#include "vm/engine.h"
#include "vm/vm.h"

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

/* What Lima and the base image need besides; the list ends with one without program. */
extern const struct system_tool system_tools[];
/* "qemu", "vz" */
extern const char system_driver[];

/* The pinned image that guests are made from where no base image can be built; it has no location where one can. */
struct system_image {
        const char *location, *digest;
};
extern const struct system_image system_image;

/* Says what accelerates guests, and why they are slow. */
void system_find_acceleration(struct engine_probe *out);
/* For the engine's table: is the guest's network machine-net, on Linux alone? */
#ifdef __linux__
#define SYSTEM_HOLDS_RULES true
#else
#define SYSTEM_HOLDS_RULES false
#endif
/* For the engine's table: has machine-net refused that? It is the guest's network on Linux only. */
#ifdef __linux__
int system_refused(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err);
#else
#define system_refused NULL
#endif
/* For the engine's table: has the guest's network ended? Lima starts it with QEMU, and nobody can start it again. */
#ifdef __linux__
int system_lost(const struct vm *vm, struct engine_lost *out, struct error **err);
#else
#define system_lost NULL
#endif
/* For the engine's table: what of the line can't be held. */
extern const struct weaker_line system_weaker[];

/*
 * Adds to `environment` (process_environment()'s overrides) what a run of Lima that boots `vm` must have. On Linux machine-shim
 * then starts QEMU, so that machine-net is the guest's network, and QEMU emulates where Lima would choose hardware
 * virtualisation that isn't there. A command line that somebody set in QEMU_SYSTEM_<ARCH> is kept.
 */
int system_prepare_boot(const struct vm *vm, struct strv *environment, struct error **err);
/* Chooses the port of 127.0.0.1 for the guest's sshd in a run that is about to start, where it must be known beforehand; 0 =
 * Lima chooses it. */
int system_choose_port(uint16_t *port, struct error **err);
/* Adds to `argv` what a run of Lima that boots `vm` is started through, if anything: on macOS sandbox-exec with a profile in
 * the VM's folder (confinement.h), unless MACHINE_LIMA_SANDBOX is "off". */
int system_confine(const struct vm *vm, uint16_t ssh_port, struct strv *argv, struct error **err);
/* Adds the processes of a running VM that Lima knows nothing about: machine-net's. */
int system_add_processes(const struct vm *vm, struct engine_processes *out, struct error **err);
/* Fails with ERROR_ENGINE when the guest that process `pid` runs is not behind the line that it should be behind. */
int system_check_guest(const struct vm *vm, pid_t pid, struct error **err);
