/* Lines and findings of an audit as JSON, for --json and other fronts. */
#pragma once

#include "audit/audit.h"
#include "lib/json.h"

/* All lines, without measuring any. */
json_t *show_audit_lines(void);
json_t *show_audit(const struct audit_report *report);
