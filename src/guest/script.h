/*
 * The scripts of guest/session/, which the host sends into the guest whenever one is run: they are always those of this
 * program, and never those that a guest has kept.
 */
#pragma once

#include "guest/session.h"

/* session_script() with guest/session/NAME. `preamble` is put in front of it; NULL = nothing. `args` may be NULL. */
int script_run(const struct session *session, const char *name, const struct strv *args, const char *preamble, int timeout_ms,
               process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err);

/* Appends a command line for the guest's shell that runs guest/session/NAME, for session_exec(): stdin stays free for what it
 * starts. `args` may be NULL. */
int script_command(const char *name, const struct strv *args, struct strbuf *out, struct error **err);
