/*
 * A sandbox profile for macOS: on a Mac the guest's network runs inside Lima's host agent, which makes connections for the
 * guest as any program of the user's would. Under this profile it makes none to the Mac's loopback but the guest's own sshd.
 *
 * Pure text; only system-darwin.c has a use for it. Source of the form: sandbox-exec(1), /System/Library/Sandbox/Profiles.
 */
#pragma once

#include <stdint.h>

#include "lib/strbuf.h"

/* Replaces nothing in `out`. `port` is the one of 127.0.0.1 that Lima's ssh logs in through. */
void confinement_profile(uint16_t port, struct strbuf *out);
