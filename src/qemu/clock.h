/*
 * Keeps a guest's clock right. A guest has its time from QEMU only when it boots; after that its clock goes on by itself, and
 * stands still while this computer sleeps or the VM is stopped. So before a session begins, its guest agent is asked what time
 * it is there, which takes a few milliseconds.
 *
 *         behind                        set forward at once
 *         ahead by up to CLOCK_SLEW_MS  slowed down, so that no program sees it go back
 *         ahead by more                 set back at once
 *
 * The guest's own programs can set its clock too. A clock is the guest's alone, and nothing on this computer goes by it.
 */
#pragma once

#include "qemu/runtime.h"

#define CLOCK_FINE_MS 20
#define CLOCK_SLEW_MS 100

/* engine.settle_clock */
void engine_settle_clock(const struct vm *vm, struct event_sink *events);
/* The same for a guest that was just woken, with more patience. That its clock was behind is no news. */
void clock_settle_woken(const struct vm *vm, const struct runtime *runtime, struct event_sink *events);
