/*
 * limactl, run as a child with our LIMA_HOME. What it says comes as JSON Lines on stderr and goes to the event sink; of a run
 * that failed the last thing it complained of is in the error.
 *
 * Its exit status is 1 for whatever went wrong, and 0 for some things that did: so callers look at the instance afterwards.
 */
#pragma once

#include "lib/event.h"
#include "lib/process.h"
#include "lima/listing.h"
#include "vm/vm.h"

struct limactl_call {
        const char *const *arguments; /* behind `limactl`, NULL-ended */
        const char *input;            /* its stdin; NULL = none */
        int timeout_ms;
        const struct vm *boots; /* the VM whose guest it will start (system_prepare_boot()); NULL = none */
        uint16_t ssh_port;      /* with `boots`: as system_choose_port() gave it */
        struct event_sink *events;
};

/* Exit status 0, or an error. Not installed: ERROR_ENGINE with a hint. Out of time, it is killed, and what it started lives on.
 * `out` may be NULL. */
int limactl_run(const struct limactl_call *call, struct strbuf *out, struct error **err);
/* The VM's instance as Lima lists it: 1, 0 when it doesn't, -1 when it could not be asked. */
int limactl_list(const char *vm, struct listing *out, struct error **err);

/* "2.2.0" out of what `--version` prints, and its first number. Owned by the caller; NULL when it isn't there. */
char *limactl_parse_version(const char *text, int *major);
/* The message of a log line, in JSON or as the old Go style of panics and the check for root has it; control characters made
 * visible. *complaint: is it an error? Owned by the caller. */
char *limactl_parse_line(const char *line, bool *complaint);
/*
 * A command line for QEMU_SYSTEM_<ARCH> with `program` in place of its first word, which is put into *replaced. Lima splits it
 * as a shell would; a first word or a program with quotes is left alone: NULL. Both owned by the caller.
 */
char *limactl_replace_program(const char *line, const char *program, char **replaced);
/* A value of QEMU_SYSTEM_<ARCH> by which QEMU emulates though there is a /dev/kvm. Owned by the caller. */
char *limactl_emulation(const char *architecture);
