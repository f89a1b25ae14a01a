/*
 * Files between this computer and a VM, by scp(1).
 *
 * Out of a VM nothing that the guest says decides where something is written: it comes into a folder of our own beside the
 * target, is looked through there (files and folders alone, no name with control characters), and is then renamed to a name
 * that this side chose. A link at the target is replaced, not followed. Into a VM no link is followed out of a folder: what
 * lies behind it wasn't named.
 */
#pragma once

#include "guest/session.h"

/* What is at `path` in the guest (relative to the user's home) to `target`; into it, if that is a folder. */
int copy_out(const struct vm *vm, const char *path, const char *target, bool recursive, struct error **err);
/* A file or folder of this computer to `path` in the guest; into it, if that is a folder. */
int copy_in(const struct vm *vm, const char *source, const char *path, bool recursive, struct error **err);
