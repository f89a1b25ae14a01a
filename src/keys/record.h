/*
 * The record of what a guest asked an agent for, in files beside each other. What the agent did (log-ins, signatures) is in
 * FILE, everything else (refusals, failures, binds) in FILE.refused, so that a flood of the one can't push out the other. A
 * full file becomes FILE.old or FILE.refused.old and replaces what was there; but FILE.old is kept for at least RECORD_DAYS
 * days after its last line. A session that finds no room asks the agent for nothing more (record_is_full). Sizes:
 * RECORD_DONE_MOST for FILE and FILE.old each, RECORD_OTHER_MOST for each of the other two.
 *
 * A line is a JSON object, with the time first. Sessions write at the same time, under FILE.lock. `machine keys` reads the
 * record.
 */
#pragma once

#include "lib/util.h"

#define RECORD_DONE_MOST  (4 << 20)
#define RECORD_OTHER_MOST (256 << 10)
#define RECORD_DAYS       7

/*
 * Adds a line. `members` is the object without its braces; control characters are replaced. A line that can't be written is
 * lost.
 */
void record_add(const char *path, bool done, const char *members);
/* Returns true when FILE has no room and FILE.old is too young to be replaced. */
bool record_is_full(const char *path);
