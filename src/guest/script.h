/*
 * The scripts of guest/session/. The host sends a script into the guest each time it runs one: it is always this program's, and
 * never one that a guest has kept.
 */
#pragma once

#include "guest/session.h"

/* Runs guest/session/NAME by session_script(). `preamble` is put in front of it; NULL = nothing. `args` may be NULL. */
int script_run(const struct session *session, const char *name, const struct strv *args, const char *preamble, int timeout_ms,
               process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err);

/* The same, with stdin free for the input in `how`. */
int script_feed(const struct session *session, const char *name, const struct strv *args, const char *preamble,
                const struct process_spec *how, struct strbuf *out, struct error **err);
/* Appends the text of guest/session/NAME: a preamble that several scripts share. */
int script_text(const char *name, struct strbuf *out, struct error **err);

/* Appends a command line for the guest's shell that runs guest/session/NAME, for session_exec(): stdin stays free for what it
 * starts. `args` may be NULL. */
int script_command(const char *name, const struct strv *args, struct strbuf *out, struct error **err);
