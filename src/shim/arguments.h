/*
 * Rewrites the QEMU command line that Lima makes. The network that QEMU would make itself (with libslirp inside QEMU, through
 * which a guest reaches the host's loopback) is replaced by a stream of frames to machine-net. Pure.
 *
 * Lima also asks QEMU about itself ("--version", "-netdev help"): QEMU then answers and ends, so those pass as they are. Every
 * other command line must have exactly the one network that Lima is known to use. Anything that can't be replaced is refused,
 * never passed on. Source: Lima's pkg/driver/qemu/qemu.go, Cmdline() and inspectFeatures().
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

/* Does QEMU only answer a question and end? `arguments`: without the program's name, NULL-ended. */
bool arguments_are_question(const char *const *arguments);

/*
 * Appends the arguments of a run to `out`, with the frames on descriptor `frames_fd` and QEMU's own filter of system calls on.
 * *ssh_port is the port of 127.0.0.1 that Lima wants to lead to the guest's sshd.
 */
int arguments_rewrite(const char *const *arguments, int frames_fd, struct strv *out, uint16_t *ssh_port, struct error **err);
