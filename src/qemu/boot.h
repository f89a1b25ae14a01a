/*
 * From a started QEMU to a guest whose sshd answers. What is waited for comes as events: QEMU's own, lines on the guest's
 * console, a banner or a refusal on the way to its sshd.
 */
#pragma once

#include "qemu/runtime.h"

/* The longest that is waited for a guest. */
int boot_limit_ms(bool kvm);
/* -1 when QEMU ends first, or after `limit_ms`. The guest's console goes to `events`, line by line. */
int boot_wait(const struct runtime *runtime, struct qmp *qmp, int limit_ms, struct event_sink *events, struct error **err);
