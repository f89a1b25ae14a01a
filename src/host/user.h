/* The user of this computer, and the matching user in a guest. */
#pragma once

/*
 * The guest's user: the host's user name if useradd takes it everywhere; other names, and root, become "dev". Owned by the
 * caller.
 */
char *user_for_guest(void);
