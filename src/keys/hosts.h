/*
 * Decides which hosts a guest may log in to, from what a host has signed and not from what the guest says. Before a log-in
 * OpenSSH's client shows the agent the host's key and that host's signature of the session's id (session-bind); a log-in signs
 * the same id. So a log-in with an id that an allowed host has signed is a log-in to that host, and of use nowhere else,
 * whatever the guest says. Pure. Source: OpenSSH's PROTOCOL.agent, section 1.
 */
#pragma once

#include "keys/protocol.h"

struct key_hosts {
        struct strv fingerprints, names; /* a host has the same index in both; none = all hosts */
};

#define KEY_HOSTS_INIT                                                                                                         \
        {                                                                                                                      \
                .fingerprints = STRV_INIT, .names = STRV_INIT                                                                  \
        }
void key_hosts_clear(struct key_hosts *hosts);
/* Adds "FINGERPRINT=NAME". Returns false when `text` isn't that. */
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

/*
 * Refuses (REQUEST_REFUSED, with the reason) a bind that nothing proves, a bind that lends the agent on, and a log-in to a
 * host that isn't allowed. A log-in that isn't refused gets the host's name.
 */
void key_hosts_judge(const struct key_hosts *hosts, struct binds *binds, struct request *request);
