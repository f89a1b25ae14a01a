/*
 * What confines a helper on this computer. The helper is asked: started with --walls, it gives up what it always gives up
 * before a guest can reach it, and then prints which of these limits this kernel has.
 */
#pragma once

#include "lib/error.h"

struct walls {
        bool system_calls; /* only those on a list are allowed */
        int landlock;      /* version; 0 = this kernel has none */
        bool scopes;       /* Landlock also confines its signals and abstract unix sockets */
};

/* -1 when the helper isn't there, or can't be confined: in both cases it does nothing for a guest. */
int walls_of_helper(const char *name, struct walls *out, struct error **err);
