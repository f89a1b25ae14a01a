/*
 * Checks that the line around a VM is where docs/threat-model.md says it is. This is measured on the running VM, not read from
 * its configuration: root in the guest tries what can be tried from inside (probe.h), the kernel's tables tell what has to be
 * seen from outside (look.h), and what the guest could reach on this computer is a listener of ours (bait.h).
 *
 *         _cleanup_(audit_report_clear) struct audit_report report = AUDIT_REPORT_INIT;
 *         audit_run(&vm, others, count, &report, err);      // -1 only when the audit could not begin
 *         report.findings[i].line->id, .verdict, .detail
 *
 * A line that could not be measured is AUDIT_UNKNOWN, never held.
 */
#pragma once

#include "lib/error.h"
#include "lib/strv.h"
#include "vm/vm.h"

enum audit_verdict {
        AUDIT_HELD,
        AUDIT_CROSSED,
        AUDIT_OPEN,        /* crossed because the project's configuration says so */
        AUDIT_UNAVAILABLE, /* crossed, and the engine says beforehand that it can't hold it */
        AUDIT_UNKNOWN,     /* could not be measured */
};

/* "held", "crossed", "open", "unavailable", "unknown": as in `audit --json`. */
const char *audit_verdict_name(enum audit_verdict verdict);

struct scene; /* lines.h */
struct audit_finding;

/* One line of the threat model. */
struct audit_line {
        const char *id;     /* stable: "host-loopback" */
        const char *text;   /* what holds, for people; the same in docs/threat-model.md */
        const char *weaker; /* weaker_line.id of an engine that says beforehand that it can't hold this; NULL = all hold it */
        /* Sets verdict and detail; -1 when it could not be measured. */
        int (*measure)(const struct scene *scene, struct audit_finding *out, struct error **err);
};

/* All lines, in the order of the page; the last one has no id. */
extern const struct audit_line audit_lines[];

struct audit_finding {
        const struct audit_line *line;
        enum audit_verdict verdict;
        char *detail; /* what was tried and seen, with its real path; the guest's words in visible characters only */
        char *hint;   /* the command that fixes it; NULL = none */
};

struct audit_report {
        struct audit_finding *findings; /* one for each line */
        size_t count;
};

#define AUDIT_REPORT_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void audit_report_clear(struct audit_report *report);

/* Measures all lines. `vm` must run and must not be half made; `others` are the other VMs. Takes some seconds, opens listeners
 * on this computer's addresses meanwhile, and leaves nothing behind. */
int audit_run(const struct vm *vm, const struct vm *others, size_t other_count, struct audit_report *out, struct error **err);
/* Does the audit try a project's rules with this address? Then a refusal of it says nothing about the project. */
bool audit_tries(const char *address);
/* Returns the number of lines that are crossed or could not be measured. */
size_t audit_failures(const struct audit_report *report);
