#include "image/base.h"

#include "host/builds.h"
#include "host/paths.h"
#include "image/base-build.h"
#include "lib/file.h"

static int build(void *data, const char *folder, const struct lock *lock, struct event_sink *events, struct error **err)
{
        const struct base_inputs *inputs = data;
        _cleanup_(freep) char *layers = path_folder(folder);
        _cleanup_(freep) char *logs = paths_state("logs");
        _cleanup_(freep) char *log = xasprintf("%s/base-%s.log", logs, inputs->key);

        if (base_build_check(layers, err) < 0 || file_make_folders(logs, 0700, err) < 0)
                return -1;
        return base_build(inputs, folder, log, lock, events, err);
}

static const struct layer_builder builder = {
        .what = "the base image",
        .kind = "base",
        .doing = "building the base image",
        .build_name = BUILD_IMAGE,
        .build = build,
        .tidy = base_build_tidy,
};

int base_find(const char *user, const struct strv *further, struct layer *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;

        if (base_inputs_collect(user, further, &inputs, err) < 0)
                return -1;
        return layer_find(inputs.key, out, err);
}

int base_ensure(const char *user, const struct strv *further, struct event_sink *events, struct layer *out, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;
        _cleanup_(freep) char *doing = NULL;
        struct layer_builder how = builder;

        if (base_inputs_collect(user, further, &inputs, err) < 0)
                return -1;
        if (inputs.further.count > 0) {
                doing = xasprintf("building the base image with %zu package%s of the recipe", inputs.further.count,
                                  inputs.further.count == 1 ? "" : "s");
                how.doing = doing;
                how.build_name = BUILD_WIDE_IMAGE;
        }
        return layer_ensure(inputs.key, &how, &inputs, events, out, err);
}
