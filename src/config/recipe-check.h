/* What a text in a recipe may be: each is a schema_check_fn. */
#pragma once

#include "lib/error.h"

int recipe_check_any(const char *text, struct error **err);
int recipe_check_script(const char *text, struct error **err); /* not empty */
/* One line without control characters: values are handed to the guest as lines. */
int recipe_check_line(const char *text, struct error **err);
int recipe_check_word(const char *text, struct error **err); /* a line without spaces that is not an option */
int recipe_check_id(const char *text, struct error **err);
int recipe_check_profile_name(const char *text, struct error **err);
int recipe_check_url(const char *text, struct error **err); /* https, without user and password */
int recipe_check_sha256(const char *text, struct error **err);
int recipe_check_path(const char *text, struct error **err);   /* in the guest: absolute, or below {home} */
int recipe_check_beside(const char *text, struct error **err); /* below the recipe's folder */
int recipe_check_mode(const char *text, struct error **err);
int recipe_check_deb(const char *text, struct error **err); /* "https://… SUITE COMPONENT…" */
