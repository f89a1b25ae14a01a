/*
 * The definition of an instance, as JSON (Lima reads YAML, of which that is a part). Pure.
 *
 * What must hold for it to keep the line: no mounts, plain mode (no agent of Lima's in the guest, and so nothing the guest
 * can have forwarded), no containerd, no ssh agent, no keys and no proxy settings of the host's, no ports but ours on
 * 127.0.0.1. Lima takes a key that it doesn't know for no more than a warning, so what it made of the definition is checked
 * (definition_check()). Source: Lima's templates/default.yaml.
 */
#pragma once

#include "lib/json.h"
#include "lima/image.h"
#include "vm/record.h"

struct definition {
        const struct vm_record *record;
        const char *driver;        /* "qemu", "vz" */
        const char *architecture;  /* "x86_64", "aarch64" */
        const struct image *image; /* Lima never makes a disk smaller than its virtual size */
        const char *identity;      /* for guest/identity */
        const char *lima_key;      /* the public key that Lima logs in by */
};

json_t *definition_build(const struct definition *definition);
/* Replaces what may change with every start by what `record` has: processors, memory, the ports that are forwarded. */
void definition_follow(json_t *definition, const struct vm_record *record);
/* The port of 127.0.0.1 that the guest's sshd gets; 0 = one that Lima chooses. */
void definition_set_ssh_port(json_t *definition, uint16_t port);
/* Its `message`, which says whose it is. Owned by the caller. */
char *definition_mark(const char *uuid);
/* `config`: the definition with Lima's defaults, from its list. ERROR_ENGINE naming the first thing that weakens the line. */
int definition_check(const json_t *config, struct error **err);
