/*
 * What a helper that its guest has taken over may try. tries.c becomes a program together with one more file, which confines
 * itself by the helper's own code (tries-keys.c).
 */
#pragma once

#include "lib/error.h"

/* Confines this process as the helper confines itself before it reads what a guest sent. */
int confine_as_the_helper(struct error **err);
