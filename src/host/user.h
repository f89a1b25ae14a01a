/*
 * Who sits at this computer, and who that is in a guest.
 */
#pragma once

/* The guest's user: the host's user name where useradd takes that everywhere; others, and root, become "dev". Owned by the
 * caller.
 */
char *user_for_guest(void);
