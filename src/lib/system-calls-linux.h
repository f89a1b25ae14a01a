/*
 * The list of system calls that a helper may make (seccomp(2)): the parts that several helpers share. Linux only; a program
 * that calls these functions links libseccomp.
 *
 *         scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
 *         int status = filter ? system_calls_allow(filter, calls, ARRAY_SIZE(calls)) : -ENOMEM;
 *
 *         if (status == 0)
 *                 status = system_calls_allow_memory(filter);
 *         return system_calls_load(filter, status, err);
 *
 * Each returns 0 or a negative errno, as libseccomp does, except system_calls_load().
 */
#pragma once

#include <seccomp.h>

#include "lib/error.h"

/* libseccomp leaves out a call that this machine's architecture lacks (such as poll on aarch64). */
int system_calls_allow(scmp_filter_ctx filter, const int *calls, size_t count);
/* Allows the calls that allocate and free memory, but never executable memory; futex(2), and random numbers. */
int system_calls_allow_memory(scmp_filter_ctx filter);
/* Allows what abort(3) and exit(3) need, except for the signal that abort(3) sends. */
int system_calls_allow_end(scmp_filter_ctx filter);
/* Applies the list to this process and its children if `status` is 0, and releases `filter`, which may be NULL. */
int system_calls_load(scmp_filter_ctx filter, int status, struct error **err);
