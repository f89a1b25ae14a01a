/*
 * The definition of an instance, as JSON (Lima reads YAML, of which JSON is a part). Pure.
 *
 * To hold the line it has: no mounts, plain mode (no agent of Lima in the guest, so the guest can have nothing forwarded), no
 * containerd, no ssh agent, no keys and no proxy settings of the host, and no ports but ours on 127.0.0.1. Lima only warns of a
 * key that it doesn't know, so definition_check() checks what Lima made of the definition. Source: Lima's
 * templates/default.yaml.
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
        const char *lima_key;      /* the public key that Lima logs in with */
};

json_t *definition_build(const struct definition *definition);
/* Sets what may change with every start to what `record` has: processors, memory, the ports that are forwarded. */
void definition_follow(json_t *definition, const struct vm_record *record);
/* Sets the port of 127.0.0.1 that the guest's sshd gets; 0 = one that Lima chooses. */
void definition_set_ssh_port(json_t *definition, uint16_t port);
/* Its `message`, which says which VM it belongs to. Owned by the caller. */
char *definition_mark(const char *uuid);
/* Fails with ERROR_ENGINE, which names the first thing that weakens the line. `config`: the definition with Lima's defaults,
 * from its list. */
int definition_check(const json_t *config, struct error **err);
