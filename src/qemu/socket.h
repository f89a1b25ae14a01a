/*
 * Unix sockets of QEMU and its helper. They are reached without following a symlink: a QEMU that was taken over can put
 * anything into the folder it may write to.
 */
#pragma once

#include <sys/types.h>

#include "lib/deadline.h"
#include "lib/error.h"

/* Connects; *fd is non-blocking. ERROR_NOT_FOUND when nobody listens there (no such file, or one left behind). */
int socket_connect(const char *path, deadline limit, int *fd, struct error **err);
/* The same to one that takes whole messages (SOCK_SEQPACKET). Source: unix(7). */
int socket_connect_messages(const char *path, deadline limit, int *fd, struct error **err);
/* Makes a socket and listens there, for QEMU: *fd is the caller's. Anything that has that name is an error. */
int socket_listen(const char *path, int *fd, struct error **err);
/* The same for whole messages (SOCK_SEQPACKET), in place of one that was there. */
int socket_listen_messages(const char *path, int *fd, struct error **err);
/* Finds the process that listens at `path`, as a descriptor of os_process_fd(). ERROR_NOT_FOUND when nobody does. `pid` may be
 * NULL. */
int socket_listener(const char *path, deadline limit, int *process_fd, pid_t *pid, struct error **err);
/* Waits until `fd` has one of `events`, or the other end closes it. Returns 1, or 0 when the limit passed first. */
int socket_wait(int fd, short events, deadline limit, struct error **err);
/* Writes all of it, or fails. */
int socket_send(int fd, const char *data, size_t length, deadline limit, struct error **err);
/* Sends so few bytes that they go at once, and a descriptor with them. Source: unix(7), SCM_RIGHTS. */
int socket_send_fd(int socket, const void *data, size_t length, int fd, deadline limit, struct error **err);
