/*
 * What builds have cost on this computer: how long each took the last time, and how large is what came of it. It only helps to
 * say in advance what a build will cost. So a file that is missing, damaged or of another version means that nothing is known,
 * and a note that can't be written is lost: neither is an error.
 *
 *         $XDG_STATE_HOME/machine/builds.json    {"version": 1, "builds": {"image": {"seconds": 71.5, "bytes": 912000000}, …}}
 *
 * What a build is called: BUILD_IMAGE…; for the layer of a recipe's part the part's name for people ("profile rust"); for a
 * step of a recipe "step PART/ID", which has no size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/strv.h"

#define BUILD_IMAGE      "image"
#define BUILD_WIDE_IMAGE "image with packages" /* which has a recipe's packages, too */
#define BUILD_TEMPLATE   "template"

struct build_cost {
        int64_t ms; /* 0 = not known */
        int64_t bytes;
};

/* All zero when nothing is known. */
struct build_cost builds_recall(const char *build);
void builds_remember(const char *build, const struct build_cost *cost);

/* "about 4 minutes, 900 MiB, as last time"; NULL when nothing is known. Owned by the caller. */
char *build_cost_text(const struct build_cost *cost);
