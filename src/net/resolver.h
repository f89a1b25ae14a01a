/*
 * The host's resolver: the first IPv4 address that /etc/resolv.conf names (resolv.conf(5)). The supervisor checks whether the
 * file has changed. The workers, which open no files, find the address in the memory that they share.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/stat.h>

#define RESOLVER_PATH "/etc/resolv.conf"

struct resolver {
        struct timespec changed; /* of the file that was read */
        ino_t file;
};

/* Reads the file if it has changed since the last look. Returns true when it set *address: 0.0.0.0 if none is named. */
bool resolver_look(struct resolver *resolver, struct in_addr *address);
/* Returns the first IPv4 address that the text of such a file names; 0.0.0.0 = none. */
struct in_addr resolver_parse(const char *text);
