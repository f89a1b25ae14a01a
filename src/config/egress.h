/* `egress` and `allow` of a project: what its guest may reach. */
#pragma once

#include "config/project.h"

extern const char *const egress_modes[]; /* "open", "allow", "none"; NULL-ended */

/* An item of `allow`: a rule (lib/egress-rule.h), or "@git". */
int egress_check(const char *text, struct error **err);
/* Appends the project's rules, "@git" replaced by those for the hosts of its repos. None unless `egress` is "allow". */
void egress_rules(const struct project *project, struct strv *out);
