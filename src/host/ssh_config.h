/*
 * What ssh is told about the VMs.
 *
 * VM folder/ssh_config: one Host block for "machine-NAME" that our own sessions use with `ssh -F`.
 *
 * ~/.ssh/config.d/machine: the same blocks for everybody's ssh, scp, rsync, git and editors, one per VM, with nothing else but
 * a comment that says who writes the file. It is rewritten whole, 0600.
 *
 * ~/.ssh/config gets "Include config.d/machine" as its first line once (an Include counts for all hosts only before the first
 * Host block) and is otherwise left byte for byte as it is. A symlink there is followed (dotfile managers), and written by
 * rename beside the target. MACHINE_SSH_DIR stands for ~/.ssh in tests.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"

struct ssh_host {
        const char *name;    /* of the VM; the alias is "machine-NAME" */
        const char *folder;  /* of the VM: id_ed25519, known_hosts */
        const char *user;    /* in the guest */
        const char *program; /* absolute path of `machine`, for ProxyCommand "machine proxy NAME" */
        const char *socket;  /* for a guest that nobody knows by name: "machine proxy --socket PATH"; or NULL */
        uint16_t port;       /* the same, for a guest with sshd on this port of 127.0.0.1, without a program between; or 0 */
        bool forward_agent;
};

/* Appends a path as one word of ssh_config(5): in double quotes, with % doubled against the expansion of tokens. */
void ssh_config_path(struct strbuf *out, const char *path);
/* Appends the Host block. */
void ssh_config_block(const struct ssh_host *host, struct strbuf *out);
/* Writes FOLDER/ssh_config: the block plus what only our own sessions have (ControlMaster at `control_path`, log level). */
int ssh_config_write_own(const struct ssh_host *host, const char *control_path, struct error **err);
/* Puts the block for host->name into ~/.ssh/config.d/machine (under a lock), and adds the Include if it is missing. */
int ssh_config_publish(const struct ssh_host *host, struct error **err);
/* Takes it out again. A missing one is success. */
int ssh_config_withdraw(const char *name, struct error **err);
