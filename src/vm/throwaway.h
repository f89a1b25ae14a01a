/*
 * VMs that belong to nobody: their folder is the one that becomes a layer's, their name none that a project's VM can have, and
 * they are gone when the layer is there.
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

/* "KIND.01234567". A project's name has no dot. Owned by the caller. */
char *throwaway_name(const char *kind, const char *key);
/* For record.uuid: of that key, always. Owned by the caller. */
char *throwaway_uuid(const char *key);
/*
 * One of that kind ("template", "recipe") for the layer `key`, with user, shell and size of the record `size`, and keys in
 * `folder`, new where there are none. record.name is its host name.
 */
int throwaway_invent(const char *kind, const char *key, const char *folder, const struct vm_record *size, struct vm *vm,
                     struct error **err);
/* What our own sessions go by: its sshd is behind the unix socket `socket`, or else on `port` of 127.0.0.1. */
int throwaway_ssh_config(const struct vm *vm, const char *socket, uint16_t port, struct error **err);
/* Appends the text of a script of guest/template, `strip` in front of it. */
int throwaway_script(const char *script, struct strbuf *out, struct error **err);
/* Removes from `folder` all but the files `own` (NULL-ended), and the sockets. */
int throwaway_tidy(const char *kind, const char *folder, const char *const *own, struct error **err);
