/*
 * The ssh host keys that the guest may trust when it clones: the shipped ones of well-known forges, and those that the user's
 * own ssh knows for a repo's host. The network is never asked.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/*
 * Appends known_hosts lines: the shipped ones, then those that ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts have for
 * `hosts` (as remote_known_host() names them; hashed lines are found too). MACHINE_SSH_DIR stands for ~/.ssh in tests.
 */
int known_hosts_collect(const struct strv *hosts, struct strbuf *out, struct error **err);

/*
 * Appends the fingerprints of the keys that are known for `host`, the shipped ones too. Leaves out revoked keys, and keys of a
 * kind that machine-keys doesn't verify.
 */
int known_hosts_fingerprints(const char *host, struct strv *out, struct error **err);

/*
 * Appends the key lines of `text`, a known_hosts file. With `host`, each is written for that name alone, so that no other
 * name, pattern or comment of the file leaves this computer; with NULL the names stay. What isn't a key line is left out.
 */
void known_hosts_add(const char *text, const char *host, struct strbuf *out);
