/*
 * What can be seen of a VM from outside: how its processes are confined, and which TCP ports they listen on. look-linux.c reads
 * proc(5); look-darwin.c asks lsof(8), and knows nothing of confinement.
 */
#pragma once

#include "lib/strv.h"
#include "vm/engine.h"

struct look_confinement {
        bool seccomp;           /* a list of allowed system calls */
        bool no_new_privileges; /* no program that it runs can gain rights */
        bool no_capabilities;
        bool own_network, own_mounts, own_processes; /* namespaces that aren't ours */
};

/* Returns 1; 0 when this system can't tell; -1 when it could not be found out. */
int look_confinement(pid_t pid, struct look_confinement *out, struct error **err);
/* Appends "ADDRESS:PORT" for every TCP port that one of the processes listens on. */
int look_listening(const struct engine_processes *processes, struct strv *out, struct error **err);

/* Linux, for its tests: appends "INODE ADDRESS:PORT" for every listener in the text of /proc/net/tcp or tcp6. */
void look_parse_listeners(const char *text, struct strv *out);
