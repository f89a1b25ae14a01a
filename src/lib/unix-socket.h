/* Stream sockets of AF_UNIX by their paths: unix(7). All descriptors are O_CLOEXEC. */
#pragma once

#include <sys/un.h>

/* 0, or -1 with ENAMETOOLONG: sun_path has 108 bytes on Linux, 104 on the Mac. */
int unix_socket_address(const char *path, struct sockaddr_un *out);
/* Connects. Returns a descriptor, or -1 with errno: EAGAIN when the listener has accepted nothing for 5 seconds. */
int unix_socket_connect(const char *path);
/* Listens for our user only, and replaces what was at `path`. Returns a descriptor, or -1 with errno. */
int unix_socket_listen(const char *path);
