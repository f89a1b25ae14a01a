/*
 * The ssh agent of this computer, whose keys are lent to a guest while a session is open. Its socket is the first of these:
 *
 *   1. SSH_AUTH_SOCK, when somebody chose it: a shell's start-up file, a desktop session, ssh's own forwarding.
 *   2. 1Password's socket, when it listens. 1Password asks people to name it in ~/.ssh/config, which our own sessions
 *      don't read.
 *   3. SSH_AUTH_SOCK as launchd sets it for every process on a Mac, chosen or not.
 */
#pragma once

#include "lib/error.h"

/*
 * The option of machine-keys for one entry of `keys`: "--key=SHA256:…" for a fingerprint or the file of a public key (an
 * absolute path, or one with ~/), else "--comment=TEXT". Owned by the caller; NULL with an ERROR_CONFIG when the file has no
 * public key.
 */
char *agent_key_option(const char *text, struct error **err);
/*
 * The fingerprint, "SHA256:…", of a public key given as "TYPE BASE64 …". Owned by the caller; NULL when it is not a public key.
 */
char *agent_fingerprint(const char *line);
/* From now on this process has no agent: for work that a program asked for, and no person. */
void agent_withhold(void);
/* The path of the socket, owned by the caller; NULL when there is no agent. */
char *agent_socket(void);
/*
 * Chooses between the value of SSH_AUTH_SOCK ("" and NULL: not set) and 1Password's socket (NULL: it doesn't listen). Returns
 * one of the two, or NULL.
 */
const char *agent_choose(const char *set, const char *one_password);
