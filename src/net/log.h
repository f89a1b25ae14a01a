/*
 * What was refused, and what befell the workers: one line each, in UTC.
 *
 *         2026-03-01T12:00:00Z tcp 192.168.1.1 443 private
 *         2026-03-01T12:00:01Z icmp 169.254.169.254 - metadata
 *         2026-03-01T12:00:02Z note the worker ended: signal 6 (Aborted)
 *
 * The guest decides how much is refused, so: one destination is named once in ten minutes, at most five lines a second
 * are written in the long run (what was left out is counted), and a file of LOG_MOST bytes becomes FILE.1, in place of the
 * one before. The log is standard error, so that the last words of a library that gives up are in it too. Supervisor and
 * worker write to the same file, each with a struct log of its own.
 */
#pragma once

#include "lib/error.h"
#include "policy.h"

#define LOG_MOST       (1 << 20)
#define LOG_REMEMBERED 256

struct log_destination {
        struct in_addr address;
        uint16_t port;
        uint8_t protocol;
        int64_t until; /* by now_ms(), it isn't named again; 0 = unused */
};

struct log {
        int old_fd; /* FILE.1; -1 = no file: the standard error that we were given, of no limited size */
        int64_t filled;
        unsigned tokens;
        unsigned long left_out;
        struct log_destination remembered[LOG_REMEMBERED];
};

/* Makes `path` standard error (NULL: leaves it as it is). The descriptors stay open until the process ends. */
int log_open(struct log *log, const char *path, struct error **err);
void log_refused(struct log *log, const struct packet *packet, const char *reason);
/* What the project's rules refuse; `name` is what it was about, "" = not known. */
void log_egress(struct log *log, const struct packet *packet, const char *name, const char *reason);
void log_note(struct log *log, const char *format, ...) _printf_(2, 3);
