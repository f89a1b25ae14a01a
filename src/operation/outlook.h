/*
 * What a new VM of a project would be made from: what is there, what has to be built first, and what that costs as far as
 * earlier builds on this computer tell (host/builds.h). Another recipe, profile or size needs layers of its own, so this is
 * said before they are built.
 */
#pragma once

#include "host/builds.h"
#include "operation/front.h"
#include "operation/target.h"
#include "vm/vm.h"

struct outlook_item {
        char *what; /* "image", "base", "profile node", "template", from the lowest up */
        bool built;
        struct build_cost cost; /* of one that is not built, the last time; all zero = not known */
};

struct outlook {
        struct outlook_item *items;
        size_t count;
};

#define OUTLOOK_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void outlook_clear(struct outlook *outlook);

/* Looks, and builds nothing. Empty for a project with an image of its own, and for an engine that makes nothing in advance. */
int outlook_find(const struct engine *engine, const struct target *target, struct outlook *out, struct error **err);
/* Notes what has to be built, one note for each. Says nothing when all is there, or when that can't be found out. */
void outlook_tell(struct front *front, const struct engine *engine, const struct target *target);

/* "to be built (about 4 minutes, 900 MiB, as last time)", "there already". Owned by the caller. */
char *outlook_text(const struct outlook_item *item);
