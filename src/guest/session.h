/*
 * Commands in the guest over ssh, by the VM's own ssh_config (pinned host key, its own key, ControlMaster in a short path).
 *
 * The remote side always gets one command line for a POSIX shell, quoted here; the user's shell there may be any.
 *
 * Sessions without the agent share one connection, kept open by ssh. A session with the agent has a connection of its own
 * that ends with it: on a shared one the guest's sshd could go on asking the agent after the session that was meant. Where
 * no agent runs on the host there is nothing to forward, and the shared connection serves.
 */
#pragma once

#include "lib/event.h"
#include "lib/process.h"
#include "vm/vm.h"

enum session_terminal { SESSION_NO_TERMINAL, SESSION_TERMINAL };

struct session {
        const struct vm *vm;
        bool forward_agent; /* for this command */
        enum session_terminal terminal;
};

/* The argv of ssh for `remote` (a command line for the guest's shell; NULL = a login shell). */
void session_argv(const struct session *session, const char *remote, struct strv *argv);
/* Runs `script` by `sh -s -- ARGS…` in the guest with stdout captured. Exit status other than 0 is ERROR_STEP with stderr's
 * end. */
int session_script(const struct session *session, const char *script, const char *const *args, int timeout_ms,
                   process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err);
/* Replaces this program by ssh running `remote` (see session_argv). Returns only on failure. */
int session_exec(const struct session *session, const char *remote, struct error **err);
/*
 * Opens the shared connection while the caller does something else, so that the first session finds it: _begin() starts ssh,
 * _await() waits until the connection is there and the guest has run its first command. One that doesn't come about is no
 * failure: the first session will say why. `pid` 0 = nothing was begun.
 */
void session_warm_begin(const struct vm *vm, pid_t *pid);
void session_warm_await(pid_t pid);
/* Ends the ssh master of this VM, if there is one. Never fails. */
void session_close(const struct vm *vm);
/* The command by which git reaches the VM (GIT_SSH_COMMAND: git hands it to a shell), without the agent. Owned by the caller.
 */
char *session_git_ssh(const struct vm *vm);
