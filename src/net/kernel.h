/*
 * Makes system calls on sockets by their numbers. machine-net defines libc's functions of these names itself (calls.h), so
 * that libslirp calls those. What machine-net does with sockets of its own, and what it passes on, goes through these. Results
 * are those of libc's functions: -1 with errno.
 */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

int kernel_connect(int fd, const struct sockaddr *address, socklen_t length);
int kernel_accept(int fd, struct sockaddr *address, socklen_t *length);
ssize_t kernel_send(int fd, const void *data, size_t length, int flags);
ssize_t kernel_send_to(int fd, const void *data, size_t length, int flags, const struct sockaddr *address,
                       socklen_t address_length);
ssize_t kernel_receive(int fd, void *data, size_t length, int flags);
ssize_t kernel_receive_from(int fd, void *data, size_t length, int flags, struct sockaddr *address, socklen_t *address_length);
int kernel_shutdown(int fd, int how);
int kernel_close(int fd);
