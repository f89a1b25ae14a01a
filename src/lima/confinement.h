/*
 * A sandbox profile for macOS. On a Mac the guest's network runs inside Lima's host agent, which makes connections for the
 * guest as any program of the user would. Under this profile it can connect to nothing on the Mac's loopback but the guest's
 * own sshd.
 *
 * Pure text; only system-darwin.c uses it. Source of the format: sandbox-exec(1), /System/Library/Sandbox/Profiles.
 */
#pragma once

#include <stdint.h>

#include "lib/strbuf.h"

/* Appends the profile to `out`. `port` is the port of 127.0.0.1 that Lima's ssh logs in through. */
void confinement_profile(uint16_t port, struct strbuf *out);
