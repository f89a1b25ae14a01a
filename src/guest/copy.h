/*
 * Copies files between this computer and a VM (guest/copy-stream.h describes how).
 *
 * In a copy out of a VM, nothing that the guest says decides where something is written. The copy comes into a folder of our
 * own beside the target, which gets only files and folders, and no name with control characters. It is then renamed to a name
 * that this side chose. A link at the target is replaced, not followed. What a killed copy leaves behind is removed by the next
 * one to the same place. A copy into a VM follows no link that it finds in a folder, since the user didn't name what the link
 * leads to. Sparse files stay sparse both ways.
 *
 * `events` are told how far the copy is, where its length is known: of all that goes in, and of a single file that comes out.
 */
#pragma once

#include "guest/copy-stream.h"
#include "guest/session.h"

/* Copies `path` in the guest (relative to the user's home) to `target`, or into it if it is a folder. */
int copy_out(const struct vm *vm, const char *path, const char *target, struct copy_wish *wish, struct event_sink *events,
             struct error **err);
/* Copies a file or folder of this computer to `path` in the guest, or into it if it is a folder. */
int copy_in(const struct vm *vm, const char *source, const char *path, bool recursive, struct event_sink *events,
            struct error **err);
