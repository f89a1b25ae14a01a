/*
 * The parts of the doctor, for each other. Those that differ between systems are in doctor-linux.c and doctor-darwin.c: which
 * programs and helpers it looks for, and checks of what only one system has. doctor-layers.c looks at layers,
 * doctor-certificates.c at CAs; the rest is in doctor.c.
 */
#pragma once

#include "operation/doctor.h"

/* Adds a check. `hint` may be NULL. */
void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *name, const char *hint, const char *format, ...)
        _printf_(5, 6);

/* Adds a bad check for each error, with its place and its hint. */
void doctor_say_error(struct doctor *doctor, const char *name, const struct error *error);

struct doctor_tool {
        const char *program;
        enum doctor_verdict missing; /* the verdict when it isn't there */
        const char *purpose;
        const char *hint; /* the command that installs it */
};

extern const struct doctor_tool doctor_tools[];  /* ends with one without a program */
extern const char *const doctor_helpers[];       /* installed with the program; NULL-ended */
void doctor_check_system(struct doctor *doctor); /* checks what only this system has */
/* Checks whether VMs trust the CAs that only this computer trusts. */
void doctor_check_certificates(struct doctor *doctor);
/* Checks the layers, and mends those that are damaged when that is wished. */
void doctor_check_layers(struct doctor *doctor, const struct doctor_wish *wish);
