/*
 * Runs limactl as a child with our LIMA_HOME. Its messages come as JSON Lines on stderr and go to the event sink. When a run
 * fails, the error has its last complaint.
 *
 * Its exit status is 1 for whatever went wrong, and 0 for some things that went wrong. So callers look at the instance
 * afterwards.
 */
#pragma once

#include "lib/event.h"
#include "lib/process.h"
#include "lima/listing.h"
#include "vm/vm.h"

struct limactl_call {
        const char *const *arguments; /* after `limactl`, NULL-ended */
        const char *input;            /* its stdin; NULL = none */
        int timeout_ms;
        const struct vm *boots; /* the VM whose guest it will start (system_prepare_boot()); NULL = none */
        uint16_t ssh_port;      /* with `boots`: as system_choose_port() gave it */
        struct event_sink *events;
};

/* Fails when the exit status is not 0; ERROR_ENGINE with a hint when limactl is not installed. When the time is up limactl is
 * killed, but what it started lives on. `out` may be NULL. */
int limactl_run(const struct limactl_call *call, struct strbuf *out, struct error **err);
/* Asks Lima for instances; the list is for listing_parse(). One that Lima can't list can make it fail for all. */
int limactl_list(const struct strv *instances, struct strbuf *out, struct error **err);
/* Asks Lima for the VM's instance. Returns 1 when Lima lists it, 0 when it doesn't, -1 when Lima can't be asked. */
int limactl_list_one(const char *vm, struct listing *out, struct error **err);

/* "2.2.0" from what `--version` prints, and its first number. Owned by the caller; NULL when it isn't there. */
char *limactl_parse_version(const char *text, int *major);
/* The message of a log line, control characters made visible. The line is JSON, or in the old Go style that panics and the
 * check for root have. *complaint becomes true when it is an error. Owned by the caller. */
char *limactl_parse_line(const char *line, bool *complaint);
/*
 * A command line for QEMU_SYSTEM_<ARCH> with `program` in place of its first word, which is put into *replaced. Lima splits it
 * as a shell would. NULL when the first word or `program` has quotes or other characters of a shell. Both owned by the caller.
 */
char *limactl_replace_program(const char *line, const char *program, char **replaced);
/* A value of QEMU_SYSTEM_<ARCH> that makes QEMU emulate although there is a /dev/kvm. Owned by the caller. */
char *limactl_emulation(const char *architecture);
