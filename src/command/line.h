/*
 * The line between guest and host where an engine can't hold all of it: what was asked for in words is refused, what is only
 * our default is said.
 */
#pragma once

#include "command/command.h"
#include "config/project.h"
#include "vm/vm.h"

/* May `engine` run this project's VM? ERROR_CONFIG for an `image` where it takes none, and for `lan = false` written out that
 * it can't hold, unless `weaker_line = true`. */
int line_check(const struct project *project, const struct engine *engine, struct error **err);
/* Says once what is weaker with this VM's engine; nothing when all holds. */
void line_note(struct context *context, const struct vm *vm);
/* All of it as one text: "the guest reaches …; …". Owned by the caller; NULL when all holds. */
char *line_text(const struct vm *vm);
