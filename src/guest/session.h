/*
 * Runs commands in the guest over ssh, with the VM's own ssh_config: pinned host key, its own key, ControlMaster in a short
 * path.
 *
 * The remote side always gets one command line for a POSIX shell, quoted here; the user there may have any shell.
 *
 * Sessions without the agent share one connection, kept open by ssh. A session with the agent has a connection of its own
 * that ends with it: on a shared one the guest's sshd could go on asking the agent after that session. When no agent runs on
 * the host, there is nothing to forward, and the shared connection is used.
 */
#pragma once

#include "lib/event.h"
#include "lib/process.h"
#include "vm/vm.h"

/* In a VM's folder: what its sessions have asked the ssh agent for (keys/record.h). */
#define SESSION_KEYS_LOG "logs/keys.log"

enum session_terminal { SESSION_NO_TERMINAL, SESSION_TERMINAL };

struct session {
        const struct vm *vm;
        bool forward_agent; /* for this command */
        enum session_terminal terminal;
};

/* Makes the argv of ssh for `remote` (a command line for the guest's shell; NULL = a login shell). */
void session_argv(const struct session *session, const char *remote, struct strv *argv);
/*
 * Runs `remote` (see session_argv) with stdout captured. `how` has its input, its time limit, and a listener if there is one.
 * Fails with ERROR_STEP and the end of stderr when the exit status is not 0, and with the reason when the guest is paused
 * meanwhile (vm_resume()). `out` may be NULL.
 */
int session_run(const struct session *session, const char *remote, const struct process_spec *how, struct strbuf *out,
                struct error **err);
/* The same for a caller that wants all of the result, whatever the exit status is. ssh's own failure is exit status 255. */
int session_take(const struct session *session, const char *remote, const struct process_spec *how,
                 struct process_result *result, struct error **err);
/* The error of session_run() for a result with an exit status other than 0. Returns -1. */
int session_failed(const struct session *session, const struct process_result *result, struct error **err);
/*
 * The same for `script`, which is fed to `sh -s -- ARGS…`. A script that is given more than SESSION_BRIEF_MS also ends when we
 * do, with all that it started in its process group: stdin stays open, and its end is taken for ours. (The others end by
 * themselves before long.)
 */
#define SESSION_BRIEF_MS (5 * 60 * 1000)
int session_script(const struct session *session, const char *script, const char *const *args, int timeout_ms,
                   process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err);
/* Runs `remote` (see session_argv) with our stdio and waits for its end, so that something can be said about it. Returns its
 * exit status (128 and the signal's number when ssh was ended by one), or -1. */
int session_attend(const struct session *session, const char *remote, struct error **err);
/* Replaces this program by ssh running `remote` (see session_argv). Returns only on failure. */
int session_exec(const struct session *session, const char *remote, struct error **err);
/*
 * Opens the shared connection while the caller does something else, so that the first session doesn't wait for it. _begin()
 * starts ssh. _await() waits until ssh is connected and, with `login`, until a first login shell has run in the guest. Neither
 * fails: if ssh can't connect, the first session reports it.
 */
void session_warm_begin(struct vm *vm, bool login);
void session_warm_await(struct vm *vm);
/* Ends the ssh master of this VM, if there is one. Never fails. */
void session_close(const struct vm *vm);
