/* What is carried from the host into a guest: CA certificates and proxies, as config.toml says. */
#pragma once

#include "config/recipe.h"

/* Adds the step to `part` if there is something to carry. */
int recipe_ca_add(const struct settings *settings, struct recipe_part *part, struct error **err);
/* Do guests with this recipe trust the host's CA certificates? */
bool recipe_ca_has_host(const struct recipe *recipe);
