/*
 * The keys of a VM, made on the host by ssh-keygen into the VM's folder: `id_ed25519` (log in) and `host_key` (the guest's
 * sshd, so that the host can pin it), both with .pub, and `known_hosts` naming the host key under "machine-NAME".
 * Each is made whole or not at all; existing ones are kept, so a killed run is finished by calling again. A key that is damaged
 * is set aside and made anew, with a note. That is for a VM that doesn't run: a guest gets its keys when it starts.
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"

int keys_ensure(const char *folder, const char *name, struct event_sink *events, struct error **err);
/* Writes only `known_hosts` anew, when it doesn't name the host key. */
int keys_pin(const char *folder, const char *name, struct error **err);
bool keys_are_whole(const char *folder); /* can ssh use both pairs? */
/* Makes only one pair, FOLDER/FILE and FOLDER/FILE.pub, and the folder (0700). For the keys of a program that works for us. */
int keys_ensure_pair(const char *folder, const char *file, const char *comment, struct error **err);
