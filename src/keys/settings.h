/* What machine-keys was told by its arguments (main.c). */
#pragma once

#include "keys/hosts.h"

struct settings {
        const char *agent, *socket, *log; /* paths */
        const char *confirm;              /* the VM's name; NULL = nobody is asked */
        struct selection selection;
        struct key_hosts hosts;
        struct strv inner; /* arguments that the inner process gets as well */
};
