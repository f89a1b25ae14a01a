/* `key_hosts` of a project: the hosts where its guest may log in with a key of the lent agent. */
#pragma once

#include "config/project.h"

/* Checks an item: "HOST", "HOST:PORT" or "@git". */
int key_hosts_check(const char *text, struct error **err);
/*
 * Appends the hosts as known_hosts has them ("host", "[host]:port"). "@git" is replaced by the hosts of the project's repos
 * that git reaches by ssh. None = a key may be used everywhere; if "@git" comes to nothing, KEY_HOSTS_NONE.
 */
#define KEY_HOSTS_NONE "-"
void key_hosts_expand(const struct project *project, struct strv *out);
