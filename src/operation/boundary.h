/*
 * The line between guest and host, when an engine can't hold all of it. What the configuration asks for explicitly is refused;
 * for what is only our default, the user is told.
 */
#pragma once

#include "config/project.h"
#include "operation/front.h"
#include "vm/vm.h"

/* Fails with ERROR_CONFIG when `engine` can't run this project's VM: it takes no `image`, or, unless `weaker_line = true`,
 * can't hold a `lan = false` that is written out or the rules of `egress`. */
int boundary_check(const struct project *project, const struct engine *engine, struct error **err);
/* Says once what is weaker with this VM's engine; nothing when all holds. */
void boundary_note(struct front *front, const struct vm *vm);
/* Returns all that is weaker as one text: "the guest reaches …; …". Owned by the caller; NULL when all holds. */
char *boundary_text(const struct vm *vm);
