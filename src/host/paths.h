/*
 * Where things lie on the host (XDG base directories, with fallbacks), and nothing else. MACHINE_CONFIG_DIR overrides the
 * configuration folder. All results are owned by the caller; folders are not made here.
 *
 * Sockets go to $XDG_RUNTIME_DIR/machine, else to /tmp/machine-UID (which must then be ours, 0700): unix socket paths
 * have at most 107 bytes, so names below it are short and paths_socket() refuses more than 100.
 */
#pragma once

#include "lib/error.h"

char *paths_config(const char *name); /* $XDG_CONFIG_HOME/machine/NAME (name NULL: the folder itself) */
char *paths_state(const char *name);  /* $XDG_STATE_HOME/machine/NAME */
char *paths_data(const char *name);   /* $XDG_DATA_HOME/machine/NAME */
char *paths_cache(const char *name);  /* $XDG_CACHE_HOME/machine/NAME */
char *paths_home(const char *name);   /* $HOME/NAME (passwd's entry when HOME is unset) */
char *paths_ssh(const char *name);    /* ~/.ssh/NAME; MACHINE_SSH_DIR stands for ~/.ssh in tests */
/* Names all of these folders that are ours alone to file_set_ours(). */
void paths_set_ours(void);
/* The folder for sockets, made and checked. NULL with an error. */
char *paths_runtime(struct error **err);
/* RUNTIME/VM/NAME, the folder RUNTIME/VM made (0700). NULL with an error when it would be over 100 bytes. */
char *paths_socket(const char *vm, const char *name, struct error **err);
/*
 * What is installed with the program: guest scripts, the example configuration, known_hosts of forges, helpers.
 * MACHINE_DATA_DIR (tests, a build tree) wins; else beside the running program; else the installed folder.
 */
char *paths_shipped(const char *name, struct error **err);
/* The helper program `name` ("machine-net"): MACHINE_LIBEXEC_DIR, else beside the running program, else the installed folder.
 * NULL with an error. */
char *paths_helper(const char *name, struct error **err);
