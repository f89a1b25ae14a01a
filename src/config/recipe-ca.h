/* What is carried in of the host's: its CA certificates and its proxies, as config.toml says. */
#pragma once

#include "config/recipe.h"

/* Adds the step to `part` where there is something to carry. */
int recipe_ca_add(const struct settings *settings, struct recipe_part *part, struct error **err);
