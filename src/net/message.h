/*
 * One message over a socket that keeps messages apart (SOCK_SEQPACKET), with a descriptor or without: unix(7). Neither call
 * waits.
 */
#pragma once

#include <sys/types.h>

/* `fd`: -1 = none; a worker, which may send no descriptor, is not asked for more than sendto(2). Returns 0, or -1 with errno.
 */
int message_send(int socket, const void *data, size_t length, int fd);
/*
 * Returns the length, 0 at the end of the connection, -1 with errno: EMSGSIZE for a message that is longer than `room`. *fd is
 * the descriptor that came along, or -1; the caller closes it. With NULL for `fd` the kernel drops what comes along.
 */
ssize_t message_receive(int socket, void *data, size_t room, int *fd);
