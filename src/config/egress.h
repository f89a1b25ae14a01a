/* `egress` and `allow` of a project: what its guest may reach. */
#pragma once

#include "config/project.h"

extern const char *const egress_modes[]; /* "open", "allow", "none"; NULL-ended */

/* "@apt", "@npm", …: what the guest's package clients are configured to use; NULL-ended. */
extern const char *const egress_clients[];

/* An item of `allow`: a rule (lib/egress-rule.h), "@git", or one of `egress_clients`. */
int egress_check(const char *text, struct error **err);
/*
 * Appends those of the project's `egress_clients` that `clients` (as below) has nothing for. Appends none unless `egress` is
 * "allow".
 */
void egress_unanswered(const struct project *project, const struct strv *clients, struct strv *out);
/*
 * Appends the project's rules. Appends none unless `egress` is "allow". "@git" is replaced by the rules for the hosts of its
 * repos, and "@npm" by the rules that `clients` has for it ("@npm RULE", as in a VM's record).
 */
void egress_rules(const struct project *project, const struct strv *clients, struct strv *out);
