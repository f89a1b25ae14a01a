/* What a guest has reached and what it was refused since its VM was started, as machine-net counted it (vm/rules.h). */
#pragma once

#include "vm/vm.h"

struct account_line {
        bool reached;
        char *protocol;         /* "tcp", "udp", "icmp", "ip"; "dns" for a question */
        char *name;             /* that the guest asked for, or that the connection showed; NULL = none */
        char *address;          /* NULL = none */
        int64_t port;           /* 0 = none */
        int64_t count;          /* connections, attempts */
        int64_t sent, received; /* bytes that TCP and UDP carried, when it was reached */
        char *reason;           /* in one word, when it was refused; else NULL */
        int64_t first, last;    /* seconds since 1970 */
};

struct account {
        struct account_line *lines;
        size_t count;
        int64_t rules; /* the number of the rules in force (vm/rules.h) */
};

#define ACCOUNT_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void account_clear(struct account *account);
/* Returns 1 when it was read; 0 when it is just being written; -1 on failure. It is empty for a VM that was never started. */
int account_read(const struct vm *vm, struct account *out, struct error **err);
/* Reads it from the file's text: 1 or 0. */
int account_parse(const char *text, struct account *out);
/* Reads it, and waits while it is just being written. Returns 0 or -1. */
int account_read_whole(const struct vm *vm, struct account *out, struct error **err);
