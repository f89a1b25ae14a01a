/*
 * Rewrites the QEMU command line that Lima makes. The network that QEMU would make itself (with libslirp inside QEMU, through
 * which a guest reaches the host's loopback) is replaced by a stream of frames to machine-net. Pure.
 *
 * Lima also asks QEMU about itself ("--version", "-netdev help"): QEMU then answers and ends, so those pass as they are. Every
 * other command line must have exactly the one network that Lima is known to use. Anything that can't be replaced is refused,
 * never passed on.
 *
 * Lima has QEMU write what the guest says to files, without a limit ("-chardev socket,…,logfile=serial.log", for each of the
 * guest's consoles). Each becomes a pipe to machine-log, which writes the file in QEMU's place.
 *
 * Source: Lima's pkg/driver/qemu/qemu.go, Cmdline() and inspectFeatures().
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"

/* Does QEMU only answer a question and end? `arguments`: without the program's name, NULL-ended. */
bool arguments_are_question(const char *const *arguments);

/* Appends the paths of the files that QEMU would write what a guest says to. */
void arguments_logs(const char *const *arguments, struct strv *out);

/* Descriptors that QEMU inherits. */
struct arguments_wires {
        int frames;      /* a stream to machine-net */
        const int *logs; /* a pipe to machine-log for each path of arguments_logs(), in their order */
};
/*
 * Appends the arguments of a run to `out`, with the wires in place of what Lima wanted, and with QEMU's own filter of system
 * calls on. *ssh_port is the port of 127.0.0.1 that Lima wants to lead to the guest's sshd.
 */
int arguments_rewrite(const char *const *arguments, const struct arguments_wires *wires, struct strv *out, uint16_t *ssh_port,
                      struct error **err);
