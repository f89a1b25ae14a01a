/*
 * What a VM or a layer lacks of its recipe, because an optional step failed: a text for each step, as the VM's record and the
 * layer's manifest keep it, PART/ID and the step's title: "base/uv_tool-2 uv: aider-chat==0.86.2".
 */
#pragma once

#include "config/recipe.h"

/* Owned by the caller. */
char *recipe_lack(const struct recipe_part *part, const struct recipe_step *step);
/* Is the step among them? */
bool recipe_lack_has(const struct strv *lacks, const struct recipe_part *part, const struct recipe_step *step);
char *recipe_lack_step(const char *lack);        /* "base/uv_tool-2"; owned by the caller */
const char *recipe_lack_title(const char *lack); /* "uv: aider-chat==0.86.2"; borrowed */
/* "uv: aider-chat==0.86.2, npm: …". Owned by the caller. */
char *recipe_lack_titles(const struct strv *lacks);
