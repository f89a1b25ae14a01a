/*
 * Unix sockets of QEMU and its helper. They are reached without following a symlink: a QEMU that was taken over can put
 * anything into the folder it may write to.
 */
#pragma once

#include <sys/types.h>

#include "lib/deadline.h"
#include "lib/error.h"

/* A connected, non-blocking descriptor. Nobody listening there (no such file, or one left behind): ERROR_NOT_FOUND. */
int socket_connect(const char *path, deadline limit, int *fd, struct error **err);
/* The process that listens at `path`, as a descriptor of os_process_fd(). Nobody: ERROR_NOT_FOUND. `pid` may be NULL. */
int socket_listener(const char *path, deadline limit, int *process_fd, pid_t *pid, struct error **err);
/* Until `fd` has one of `events` (or is closed by the other end): 1; 0 when the limit passed first. */
int socket_wait(int fd, short events, deadline limit, struct error **err);
/* Writes all of it, or fails. */
int socket_send(int fd, const char *data, size_t length, deadline limit, struct error **err);
/* One byte, and a descriptor with it. Source: unix(7), SCM_RIGHTS. */
int socket_send_fd(int socket, const char *byte, int fd, deadline limit, struct error **err);
