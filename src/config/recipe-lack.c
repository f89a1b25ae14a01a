#include "config/recipe-lack.h"

#include "lib/text.h"

char *recipe_lack(const struct recipe_part *part, const struct recipe_step *step)
{
        _cleanup_(freep) char *title = text_visible_dup(step->title);

        return xasprintf("%s/%s %s", part->name, step->id, title);
}

char *recipe_lack_step(const char *lack)
{
        return xstrndup(lack, strcspn(lack, " "));
}

const char *recipe_lack_title(const char *lack)
{
        const char *title = lack + strcspn(lack, " ");

        return *title ? title + 1 : lack;
}

bool recipe_lack_has(const struct strv *lacks, const struct recipe_part *part, const struct recipe_step *step)
{
        _cleanup_(freep) char *wanted = xasprintf("%s/%s", part->name, step->id);

        for (size_t i = 0; i < lacks->count; i++) {
                _cleanup_(freep) char *called = recipe_lack_step(lacks->items[i]);

                if (streq(called, wanted))
                        return true;
        }
        return false;
}

char *recipe_lack_titles(const struct strv *lacks)
{
        _cleanup_(strv_clear) struct strv titles = STRV_INIT;

        for (size_t i = 0; i < lacks->count; i++)
                strv_add(&titles, recipe_lack_title(lacks->items[i]));
        return strv_join(&titles, ", ");
}
