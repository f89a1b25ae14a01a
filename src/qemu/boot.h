/*
 * Waits, once QEMU is started, until the guest's sshd answers. Everything that it waits for comes as an event: from QEMU
 * itself, as a line on the guest's console, as a banner or a refusal on a connection to sshd.
 */
#pragma once

#include "qemu/runtime.h"

/* How long a guest that boots may show no sign of life. */
int boot_quiet_ms(bool kvm);
/*
 * Fails when QEMU ends first, when it pauses its guest (the host's disk is full), and when nothing has moved for `quiet_ms`
 * (vm/progress.h). The guest's console goes to `events`, line by line.
 */
int boot_wait(const struct runtime *runtime, struct qmp *qmp, int quiet_ms, struct event_sink *events, struct error **err);
