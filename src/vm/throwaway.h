/*
 * VMs that belong to no project and exist only to make a layer. A throwaway VM's folder becomes the layer's folder. Its name
 * is one that no project's VM can have. It is gone once the layer is there.
 */
#pragma once

#include "lib/strbuf.h"
#include "vm/vm.h"

/* "KIND.01234567". A project's name has no dot. Owned by the caller. */
char *throwaway_name(const char *kind, const char *key);
/* For record.uuid: always the same for the same key. Owned by the caller. */
char *throwaway_uuid(const char *key);
/*
 * Fills in `vm` as a throwaway VM of that kind ("template", "recipe") for the layer `key`. User, shell and size are those of
 * the record `size`. Its keys are in `folder`, and are made when they are missing. record.name is its host name.
 */
int throwaway_invent(const char *kind, const char *key, const char *folder, const struct vm_record *size, struct vm *vm,
                     struct error **err);
/* Writes the ssh configuration for our own sessions. Its sshd is reached through the unix socket `socket`, or on `port` of
 * 127.0.0.1 when that is NULL. */
int throwaway_ssh_config(const struct vm *vm, const char *socket, uint16_t port, struct error **err);
/* Appends the text of a script of guest/template, with `strip` in front of it. */
int throwaway_script(const char *script, struct strbuf *out, struct error **err);
/* Removes the sockets, and everything in `folder` but the files `own` (NULL-ended). */
int throwaway_tidy(const char *kind, const char *folder, const char *const *own, struct error **err);
