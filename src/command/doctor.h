/*
 * The parts of `machine doctor` that differ between systems: which programs and helpers it looks for, and checks of what only
 * one system has. doctor-linux.c and doctor-darwin.c; the rest is in doctor.c.
 */
#pragma once

#include "command/command.h"

enum verdict { GOOD, WARNING, BAD };

/* What has been found so far (doctor.c). */
struct report;
/* One check: what was looked at, what is, and the command that mends it (NULL: none; of no interest when GOOD). */
void doctor_say(struct report *report, enum verdict verdict, const char *name, const char *hint, const char *format, ...)
        _printf_(5, 6);

struct doctor_tool {
        const char *program;
        enum verdict missing; /* how bad it is when it isn't there */
        const char *purpose;
        const char *hint; /* the command that brings it */
};

extern const struct doctor_tool doctor_tools[];  /* ended by one without a program */
extern const char *const doctor_helpers[];       /* installed with the program; NULL-ended */
void doctor_check_system(struct report *report); /* what only this system has */
