/*
 * Everything in a checkout that `machine` acts on, read once: .machine.toml, provision.toml, and what lies below profiles/. The
 * user is asked to trust these very bytes, and the recipe is then made of them, so that nobody can put others in their place in
 * between.
 *
 * At most 1000 files and 16 MiB together. A symlink or a device among them is an error (under its name, another file of the
 * host would go into the guest).
 */
#pragma once

#include "config/trust.h"
#include "lib/error.h"
#include "lib/strbuf.h"

#define CHECKOUT_FILE ".machine.toml" /* in the top folder of a checkout */

struct checkout_file {
        char *name; /* relative: "profiles/python/setup.sh" */
        struct strbuf content;
        bool executable;
};

struct checkout_tree {
        char *folder;                /* absolute */
        struct checkout_file *files; /* CHECKOUT_FILE first, then by name */
        size_t count;
};

#define CHECKOUT_TREE_INIT                                                                                                     \
        {                                                                                                                      \
                0                                                                                                              \
        }
void checkout_tree_clear(struct checkout_tree *tree);

/* A missing .machine.toml is ERROR_NOT_FOUND. */
int checkout_tree_read(const char *checkout, struct checkout_tree *out, struct error **err);
/* The file of that relative name, or NULL. `tree` may be NULL. */
const struct checkout_file *checkout_tree_find(const struct checkout_tree *tree, const char *name);
/* Appends what trust is given to: .machine.toml as it is, and the name, mode and hash of every other file. */
void checkout_tree_content(const struct checkout_tree *tree, struct strbuf *out);
/* Whether the user trusts these very files. */
int checkout_tree_trust(const struct checkout_tree *tree, enum trust *out, struct error **err);
