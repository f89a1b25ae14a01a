/* What the doctor found, as JSON, for --json and other fronts. */
#pragma once

#include "lib/json.h"
#include "operation/doctor.h"

/* "ok", "warning", "failed" */
const char *show_doctor_verdict(enum doctor_verdict verdict);
json_t *show_doctor(const struct doctor *doctor);
