/*
 * The parts of a repo's URL that matter here: whether git reaches it by ssh, on which host and port, and as whom.
 * repo_url_check() has checked the URL before; nothing here decides what is allowed.
 */
#pragma once

#include "lib/util.h"

struct remote {
        bool ssh;
        char *user;    /* NULL = none given */
        char *host;    /* without brackets; NULL for file:// */
        uint16_t port; /* 0 = the protocol's own */
};

#define REMOTE_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void remote_clear(struct remote *remote);
void remote_parse(const char *url, struct remote *out);
/* Parses an entry of `repos`. Returns false for "." (the checkout) and file:// (this computer), which have no host. */
bool remote_of_repo(const char *url, struct remote *out);
/* As known_hosts names it: "host" or "[host]:port" (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Owned by the caller. */
char *remote_known_host(const struct remote *remote);
/* The command that makes this computer's ssh ask about the host's key: "ssh -p 2222 -T git@host". Owned by the caller. */
char *remote_ssh_command(const struct remote *remote);
/* `url` for messages: a password in it becomes "***". Owned by the caller. */
char *remote_shown(const char *url);
