/*
 * Asking the person at this computer whether a signature may be made, by the program that OpenSSH asks by (ssh-add -c): what
 * SSH_ASKPASS names, with SSH_ASKPASS_PROMPT=confirm, and the question as its argument; exit status 0 = yes. Where that isn't
 * set, by one that the system has. Source: ssh(1), ENVIRONMENT; ssh-add(1), -c.
 */
#pragma once

#include "lib/strv.h"

/* The program for the question. False = there is none. */
bool confirm_argv(const char *question, struct strv *argv);
/* The system's own. */
bool confirm_system(const char *question, struct strv *argv);
