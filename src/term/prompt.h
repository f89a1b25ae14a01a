/*
 * Questions, asked on /dev/tty so that redirected input is never consumed.
 */
#pragma once

#include "lib/error.h"

/* Returns 1 for yes, 0 for no and at the end of file. Fails without a terminal, as ERROR_USAGE with `hint`. */
int prompt_yes(const char *question, const char *hint, struct error **err);
