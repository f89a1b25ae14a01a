/*
 * The keys of a VM, made on the host by ssh-keygen into the VM's folder: `id_ed25519` (log in) and `host_key` (the guest's
 * sshd, so that the host can pin it), both with .pub, and `known_hosts` naming the host key under "machine-NAME".
 * Each is made whole or not at all; existing ones are kept, so a killed run is finished by calling again.
 */
#pragma once

#include "lib/error.h"

int keys_ensure(const char *folder, const char *name, struct error **err);
/* Makes only one pair, FOLDER/FILE and FOLDER/FILE.pub, and the folder (0700). For the keys of a program that works for us. */
int keys_ensure_pair(const char *folder, const char *file, const char *comment, struct error **err);
