#include "operation/recipe.h"

#include "host/guest-system.h"
#include "operation/versions.h"

int recipe_as_written(const struct target *target, struct recipe *out, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        const char *architecture = guest_architecture(err);

        if (!architecture || settings_read(&settings, err) < 0)
                return -1;
        return recipe_read(&(struct recipe_wish){ .tree = target->project.checkout ? &target->tree : NULL,
                                                  .profiles = &target->project.profiles,
                                                  .profiles_file = target->project.profiles_file,
                                                  .profile_places = target->project.profile_places,
                                                  .architecture = architecture,
                                                  .suite = GUEST_SUITE,
                                                  .settings = &settings },
                           out, err);
}

int recipe_resolved(const struct target *target, struct recipe *out, struct error **err)
{
        _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
        size_t recalled;

        /* Resolved twice: what is remembered is found by the hashes of the recipe as it is written. */
        if (recipe_as_written(target, out, err) < 0 || recipe_resolve(out, &(struct lockfile)LOCKFILE_INIT, err) < 0 ||
            lockfile_read(out->lock_path, &lock, err) < 0 || versions_recall(out, &lock, &recalled, err) < 0)
                return -1;
        return recipe_resolve(out, &lock, err);
}
