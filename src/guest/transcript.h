/*
 * What a program in a guest said, for the error when it fails and for a log on this computer. A guest can say without end, so
 * only the last part is kept.
 *
 *         transcript_add(&transcript, line);                                 // each line, made visible
 *         _cleanup_(freep) char *why = transcript_why(&transcript);
 *         _cleanup_(freep) char *log = transcript_keep(&transcript, vm, "setup-blog");
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

struct transcript {
        struct strbuf text;
        bool cut; /* the beginning is gone */
};

#define TRANSCRIPT_INIT                                                                                                        \
        {                                                                                                                      \
                .text = STRBUF_INIT                                                                                            \
        }
void transcript_clear(struct transcript *transcript);
void transcript_add(struct transcript *transcript, const char *line);
/* The line that tells why it failed (said_why()). Owned by the caller. */
char *transcript_why(const struct transcript *transcript);
/* Is there more than that line? */
bool transcript_has_more(const struct transcript *transcript);
/* Writes it to logs/NAME.log in the VM's folder. Returns that path, owned by the caller; NULL when it can't be written. */
char *transcript_keep(const struct transcript *transcript, const struct vm *vm, const char *name);
