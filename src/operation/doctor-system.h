/*
 * The parts of the doctor that differ between systems: which programs and helpers it looks for, and checks of what only one
 * system has. They are in doctor-linux.c and doctor-darwin.c; the rest is in doctor.c.
 */
#pragma once

#include "operation/doctor.h"

/* Adds a check. `hint` may be NULL. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *name, const char *hint, const char *format, ...)
        _printf_(5, 6);

struct doctor_tool {
        const char *program;
        enum doctor_verdict missing; /* the verdict when it isn't there */
        const char *purpose;
        const char *hint; /* the command that installs it */
};

extern const struct doctor_tool doctor_tools[];  /* ends with one without a program */
extern const char *const doctor_helpers[];       /* installed with the program; NULL-ended */
void doctor_check_system(struct doctor *doctor); /* checks what only this system has */
