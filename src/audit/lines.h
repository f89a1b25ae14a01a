/*
 * What a line of audit.h is measured with. Most have their function in lines.c. For src/audit only.
 */
#pragma once

#include "audit/audit.h"
#include "audit/bait.h"
#include "audit/probe.h"

/* What has been laid out, tried and seen, before the lines are judged. */
struct scene {
        const struct vm *vm;
        const struct vm *others;
        size_t other_count;
        struct baits baits;
        struct probe probe;
        uint16_t stranger; /* the port that was tried on addresses that aren't this computer's */
        struct engine_processes processes;
};

/* Appends all that the guest must try to connect to: addresses and ports in turn. */
void lines_targets(const struct scene *scene, struct strv *out);

/* Sets verdict and detail. Always returns 0. */
int audit_say(struct audit_finding *out, enum audit_verdict verdict, const char *format, ...) _printf_(3, 4);

/* canary.c */
int measure_secrets(const struct scene *scene, struct audit_finding *out, struct error **err);

/* lent.c */
int measure_lent_keys(const struct scene *scene, struct audit_finding *out, struct error **err);
int measure_key_hosts(const struct scene *scene, struct audit_finding *out, struct error **err);
