/* Settings of the program and not of one project: $XDG_CONFIG_HOME/machine/config.toml. A missing file is an empty one. */
#pragma once

#include <stdint.h>

#include "lib/error.h"
#include "lib/strv.h"

struct settings {
        char *file;              /* set even if it isn't there */
        int64_t template_budget; /* bytes on the host's disk that the memory of all warm templates may take */
        int64_t memory_budget;   /* bytes that all running VMs may have together; 0 = no limit */
        int64_t secret_timeout;  /* seconds that a program may take to print a secret, including a person's approval */
        bool trust_host_ca;      /* the host's CA certificates count in guests too */
        char *proxy;             /* "none", "host" (its environment's), or a URL */
        struct strv mirror_from, mirror_to; /* [mirrors]: prefixes of URLs, and what replaces each */
};

#define SETTINGS_INIT                                                                                                          \
        {                                                                                                                      \
                0                                                                                                              \
        }
void settings_clear(struct settings *settings);

int settings_read(struct settings *out, struct error **err);
/* From a text, for tests and `machine validate FILE`. */
int settings_parse(const char *text, size_t length, const char *file, struct settings *out, struct error **err);
