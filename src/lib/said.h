/*
 * Reads what a program said before it failed: which of its lines tells why, and whether that is one of two reasons for which
 * there is advice. Only the last lines count, because a program often complains about something else before.
 *
 *         _cleanup_(freep) char *why = said_why(log.buf, log.len);
 *
 *         error_set(err, ERROR_STEP, "step '%s' failed: %s", step, why);
 *         if (said_untrusted(log.buf, log.len))
 *                 error_hint(err, …);
 */
#pragma once

#include "lib/strbuf.h"

/* Appends a line as plain text: escape sequences are dropped, other control characters made visible. */
void said_plain(struct strbuf *out, const char *line, size_t length);

/*
 * The one line that tells why it failed: one that said_untrusted() or said_broken_off() knows, else the first of the last lines
 * that reads like an error, else the last one. Plain text of at most some hundred bytes; empty when nothing was said. Owned by
 * the caller.
 */
char *said_why(const char *text, size_t length);

/* What was said of a certificate whose CA is not trusted ("certificate verify failed"); NULL when nothing was. Static. */
const char *said_untrusted(const char *text, size_t length);

/* What was said of a network that broke off, or of a server that was busy; NULL when nothing was. Static. */
const char *said_broken_off(const char *text, size_t length);
/* Why it may go well the next time then, for error_passes(). */
#define SAID_BROKEN_OFF_PASSES "a network that broke off often holds the next time"
