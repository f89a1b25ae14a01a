/* Whom a guest has reached and whom it was refused, since its VM was started: what machine-net counted (vm/rules.h). */
#pragma once

#include "vm/vm.h"

struct account_line {
        bool reached;
        char *protocol;         /* "tcp", "udp", "icmp", "ip"; "dns" for a question */
        char *name;             /* that it was asked for by, or that it showed; NULL = none */
        char *address;          /* NULL = none */
        int64_t port;           /* 0 = none */
        int64_t count;          /* connections, attempts */
        int64_t sent, received; /* bytes that TCP and UDP carried, of one that was reached */
        char *reason;           /* in one word, of one that was refused; else NULL */
        int64_t first, last;    /* seconds since 1970 */
};

struct account {
        struct account_line *lines;
        size_t count;
        int64_t rules; /* the number of the rules that count (vm/rules.h) */
};

#define ACCOUNT_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void account_clear(struct account *account);
/* 1 = read; 0 = it is just being written; -1. A VM that was never started has none: 1, and nothing in it. */
int account_read(const struct vm *vm, struct account *out, struct error **err);
/* The same from the file's text. */
int account_parse(const char *text, struct account *out);
