/* Makes images, recipes' layers and warm templates before a VM needs them. */
#pragma once

#include "config/project.h"
#include "operation/front.h"

/* For every project; when there is none, for one of the usual size. With `force`, existing templates are made anew. */
int bake_all(struct front *front, const struct projects *projects, bool force, struct error **err);
/* For the recipe's base and these profiles (none = the usual ones), in the usual size. */
int bake_profiles(struct front *front, const struct projects *projects, const struct strv *profiles, bool force,
                  struct error **err);
