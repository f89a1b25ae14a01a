/*
 * Waits, once QEMU is started, until the guest's sshd answers. Everything that it waits for comes as an event: from QEMU
 * itself, as a line on the guest's console, as a banner or a refusal on a connection to sshd.
 */
#pragma once

#include "qemu/runtime.h"

/* The longest time to wait for a guest. */
int boot_limit_ms(bool kvm);
/* Fails when QEMU ends first, or after `limit_ms`. The guest's console goes to `events`, line by line. */
int boot_wait(const struct runtime *runtime, struct qmp *qmp, int limit_ms, struct event_sink *events, struct error **err);
