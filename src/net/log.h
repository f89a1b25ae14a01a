/*
 * Logs what was refused and what happened to the workers: one line each, in UTC.
 *
 *         2026-03-01T12:00:00Z tcp 192.168.1.1 443 private
 *         2026-03-01T12:00:01Z icmp 169.254.169.254 - metadata
 *         2026-03-01T12:00:02Z note the worker ended because of what the guest sent: signal 6 (Aborted); …
 *
 * The guest decides how much is refused, so the log has limits. One destination is named once in ten minutes. In the long run
 * at most five lines a second are written, and what was left out is counted. A file of LOG_MOST bytes becomes FILE.1 and
 * replaces the one before. The log is standard error, so that the last message of a library that aborts is in it too.
 * Supervisor and worker write to the same file, each with its own struct log.
 */
#pragma once

#include "lib/error.h"
#include "net/policy.h"

#define LOG_MOST       (1 << 20)
#define LOG_REMEMBERED 256

struct log_destination {
        struct in_addr address;
        uint16_t port;
        uint8_t protocol;
        int64_t until; /* by now_ms(); it isn't named again until then; 0 = unused */
};

struct log {
        int old_fd; /* FILE.1; -1 = no file: lines go to the standard error we were given, without a limit */
        int64_t filled;
        unsigned tokens;
        unsigned long left_out;
        struct log_destination remembered[LOG_REMEMBERED];
};

/* Makes `path` standard error (NULL: leaves it as it is). The descriptors stay open until the process ends. */
int log_open(struct log *log, const char *path, struct error **err);
void log_refused(struct log *log, const struct packet *packet, const char *reason);
/* For what the project's rules refuse; `name` is the name concerned, "" = not known. */
void log_egress(struct log *log, const struct target *target, const char *name, const char *reason);
void log_note(struct log *log, const char *format, ...) _printf_(2, 3);
