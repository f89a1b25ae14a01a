/*
 * A stand-in for a guest: this computer's own sshd, OpenSSH's, started for one connection at a time behind ssh's
 * ProxyCommand (no port, no daemon), with a home of its own. ssh, ssh-agent, git and the scripts are the real ones; what
 * is not here is the VM, and the ssh_config is written by the test.
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
        char *folder; /* of all that follows; removed at the end */
        char *guest;  /* the guest's home */
        char *data;   /* MACHINE_DATA_DIR */
        struct vm vm; /* "test" */
        pid_t agent;  /* ssh-agent with one key; 0 = none */
        pid_t forge;  /* an sshd on a port of 127.0.0.1 that serves repos; 0 = none */
        uint16_t forge_port;
};

/* What is missing here, so that the test is skipped and says why; NULL = nothing. */
const char *fixture_missing(void);
struct fixture *fixture_new(void);
void fixture_free(struct fixture *fixture);
/* An ssh-agent with a key that the forge lets in, as SSH_AUTH_SOCK; and the forge. */
void fixture_start_forge(struct fixture *fixture);

/* Runs a shell script in FOLDER/name (relative; "" = the folder itself) with git ready to commit. Fails the test when it fails.
 * Trimmed output, owned by the caller. */
char *fixture_run(struct fixture *fixture, const char *name, const char *script);
void fixture_do(struct fixture *fixture, const char *name, const char *script);

/* A project "test" with these repos: URL after URL, NULL-ended; names are their last parts without ".git", "here" for ".". */
struct project fixture_project(const struct fixture *fixture, const char *const *urls);
