/*
 * A stand-in for a guest: this computer's own sshd (OpenSSH), started for one connection at a time by ssh's ProxyCommand (no
 * port, no daemon), with its own home. ssh, ssh-agent, git and the scripts are the real ones. There is no VM, and the test
 * writes the ssh_config.
 */
#pragma once

#include <sys/types.h>

#include "config/project.h"
#include "lib/event.h"
#include "lib/strbuf.h"
#include "vm/vm.h"

struct fixture {
        struct event_sink events; /* collects notes and lines */
        struct strbuf told;
        char *folder; /* has all that follows; removed at the end */
        char *guest;  /* the guest's home */
        char *data;   /* MACHINE_DATA_DIR */
        struct vm vm; /* "test" */
        pid_t agent;  /* ssh-agent with one key; 0 = none */
        pid_t forge;  /* an sshd on a port of 127.0.0.1 that serves repos; 0 = none */
        uint16_t forge_port;
};

/* What is missing here, so that the test is skipped with the reason; NULL = nothing. */
const char *fixture_missing(void);
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);
/* Starts the forge, and as SSH_AUTH_SOCK an ssh-agent with a key that the forge accepts. */
void fixture_start_forge(struct fixture *fixture);

/* Runs a shell script in FOLDER/name (relative; "" = the folder itself) with git ready to commit. Fails the test when the
 * script fails. Returns the trimmed output, owned by the caller. */
char *fixture_run(struct fixture *fixture, const char *name, const char *script);
void fixture_do(struct fixture *fixture, const char *name, const char *script);

/* A project "test" with the repos of these URLs (NULL-ended). Names are their last parts without ".git"; "." is named "here".
 */
struct project fixture_project(const struct fixture *fixture, const char *const *urls);
