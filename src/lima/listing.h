/*
 * Reads what `limactl list --format json NAME` says of one instance. Pure. limactl prints one JSON object per line (no array),
 * and of some instances little more than a name:
 *
 *         status "Running"   both pid files name a living process, whichever that is
 *         status "Stopped"   neither does
 *         status "Broken"    one does (also for a moment of every start and stop), or the host agent doesn't answer, or there
 *                            is no definition (then no config either)
 *         status ""          the definition can't be read: no config, and no pids, whatever is running
 *
 * So only `config` and the pids are taken as facts. What is alive is asked of the kernel. Source: Lima's
 * pkg/store/instance.go and cmd/limactl/list.go.
 */
#pragma once

#include <sys/types.h>

#include "lib/json.h"

struct listing {
        char *status;  /* "Running", "Stopped", "Broken", "" or something newer */
        char *message; /* of the definition; NULL = none */
        bool is_protected;
        pid_t agent, driver; /* Lima's host agent, and what runs the guest; 0 = none */
        uint16_t ssh_port;   /* of 127.0.0.1; 0 = none. That of the last start while it is stopped. */
        json_t *config;      /* the definition with Lima's defaults; NULL = it could not be read */
};

#define LISTING_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void listing_clear(struct listing *listing);
/* Looks for `instance`. Returns 1 when it is in the list, 0 when it isn't, -1 when the text is not such a list. */
int listing_parse(const char *text, size_t length, const char *instance, struct listing *out, struct error **err);
