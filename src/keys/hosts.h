/*
 * Where to a guest may log in, told from what it says by what a host has signed. Before a log-in OpenSSH's client shows the
 * agent the host's key and that host's signature of the session's id (session-bind); a log-in signs the same id. So a log-in
 * whose id an allowed host has signed is one to that host, and of use nowhere else, whatever the guest says. Pure. Source:
 * OpenSSH's PROTOCOL.agent, section 1.
 */
#pragma once

#include "keys/protocol.h"

struct key_hosts {
        struct strv fingerprints, names; /* of the same host at the same place; none = everywhere */
};

#define KEY_HOSTS_INIT                                                                                                         \
        {                                                                                                                      \
                .fingerprints = STRV_INIT, .names = STRV_INIT                                                                  \
        }
void key_hosts_clear(struct key_hosts *hosts);
/* "FINGERPRINT=NAME"; false when it is not that. */
bool key_hosts_add(struct key_hosts *hosts, const char *text);

/* The sessions that were bound on one connection to the agent. */
#define BINDS_MOST 16
struct binds {
        struct {
                unsigned char id[SESSION_ID_MOST];
                size_t id_length;
                char *host; /* fingerprint */
        } items[BINDS_MOST];
        size_t count;
};
void binds_clear(struct binds *binds);

/* Refuses (REQUEST_REFUSED, with the reason) a bind that nothing proves or that lends the agent on, and a log-in to another
 * host than an allowed one. A log-in that stays has the host's name. */
void key_hosts_judge(const struct key_hosts *hosts, struct binds *binds, struct request *request);
