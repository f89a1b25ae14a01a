/* `image` and `image_digest` of a project. */
#pragma once

#include "config/project.h"
#include "config/schema.h"

/* An absolute path or an https URL. */
int project_image_check(const char *text, struct error **err);
int project_digest_check(const char *text, struct error **err);
/* Checks that the two fit together: an image that comes over the network needs its digest. */
void project_image_finish(struct schema_reader *reader, const struct toml_value *table, const struct project *project);
