/*
 * Questions. Asked on /dev/tty, so that redirected input is never eaten.
 */
#pragma once

#include "lib/error.h"

/* 1 = yes, 0 = no (also on end of file). No terminal: an ERROR_USAGE whose hint is `hint`. */
int prompt_yes(const char *question, const char *hint, struct error **err);
