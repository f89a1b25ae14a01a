/* `key_hosts` of a project: where its guest may log in to by a key of the lent agent. */
#pragma once

#include "config/project.h"

/* An item: "HOST", "HOST:PORT" or "@git". */
int key_hosts_check(const char *text, struct error **err);
/* Appends the hosts as known_hosts has them ("host", "[host]:port"), "@git" replaced by those of the project's repos that git
 * reaches by ssh. None = a key may be used everywhere; where "@git" comes to nothing, KEY_HOSTS_NONE. */
#define KEY_HOSTS_NONE "-"
void key_hosts_expand(const struct project *project, struct strv *out);
