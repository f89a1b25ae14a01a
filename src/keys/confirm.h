/*
 * Asks the person at this computer whether a signature may be made. The program is the one that SSH_ASKPASS names, called as
 * OpenSSH calls it (ssh-add -c: SSH_ASKPASS_PROMPT=confirm, the question as its argument, exit status 0 = yes). If SSH_ASKPASS
 * isn't set, it is one of the system's programs in which Enter means no, or else ssh-askpass. Source: ssh(1), ENVIRONMENT;
 * ssh-add(1), -c.
 */
#pragma once

#include "lib/strv.h"

/* Appends the command that asks the question. Returns false when there is no program for it. */
bool confirm_argv(const char *question, struct strv *argv);
/* The same for the system's own program. In it Enter, Escape and closing the window mean no. */
bool confirm_system(const char *question, struct strv *argv);
