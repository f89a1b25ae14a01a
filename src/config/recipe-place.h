/*
 * Where a recipe or profile lies: in a trusted checkout (read from its tree, never from the disk again), in the configuration
 * folder, or shipped with the program. The first found wins.
 */
#pragma once

#include "config/checkout-tree.h"
#include "lib/strv.h"

struct recipe_place {
        const struct checkout_tree *tree; /* NULL = on the disk */
        char *folder;                     /* of the file; below the tree's when there is one: "profiles/python" or "" */
        char *file;                       /* absolute: for messages */
        const char *origin;               /* "checkout", "user", "shipped" */
};

#define RECIPE_PLACE_INIT                                                                                                      \
        {                                                                                                                      \
                0                                                                                                              \
        }
void recipe_place_clear(struct recipe_place *place);

/* provision.toml. The shipped one is always there, or the installation is broken. */
int recipe_place_base(const struct checkout_tree *tree, struct recipe_place *out, struct error **err);
/* Finds profiles/NAME/profile.toml. Returns false, and leaves `out` empty, when there is none. */
bool recipe_place_profile(const struct checkout_tree *tree, const char *name, struct recipe_place *out);
/* Fails with "no profile 'NAME'" and the nearest name, or all of them. `file` may be NULL: it was asked for in no file. */
int recipe_place_unknown(const struct checkout_tree *tree, const char *name, const char *file, unsigned line, unsigned column,
                         struct error **err);
/* All profiles' names, sorted. */
int recipe_place_profiles(const struct checkout_tree *tree, struct strv *names, struct error **err);

/* Reads the file `name` beside it; NULL = the recipe or profile itself. At most 1 MiB. `executable` may be NULL. */
int recipe_place_read(const struct recipe_place *place, const char *name, struct strbuf *out, bool *executable,
                      struct error **err);
