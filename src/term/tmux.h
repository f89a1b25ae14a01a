/*
 * The user's own tmux around us, which takes its prefix key before a tmux in a guest sees it.
 */
#pragma once

/* Which keys leave a session of a tmux in the guest, whose prefix is Ctrl-B: "Ctrl-B D", or more inside a tmux with the same
 * prefix. Owned by the caller. */
char *tmux_detach_keys(void);
