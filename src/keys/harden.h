/*
 * What machine-keys gives up once its program runs: whoever takes it over by a guest's messages starts nothing and reaches no
 * network. On Linux a list of system calls (libseccomp), on macOS nothing yet.
 */
#pragma once

#include <sys/types.h>

#include "lib/error.h"

/* `child` is who may still be sent a signal. Not with --confirm: a question starts a program. */
int keys_harden(pid_t child, struct error **err);
