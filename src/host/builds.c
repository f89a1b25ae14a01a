#include "host/builds.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"

#define FORM       1
#define FILE_LIMIT (64 << 10)
/* What no build takes, and no file has: a number beyond it is not ours. */
#define SECONDS_MOST (365 * 24 * 3600.0)
#define BYTES_MOST   (INT64_C(1) << 50)

static char *file_name(void)
{
        return paths_state("builds.json");
}

/* The object "builds" of the file, owned by the caller; an empty one when nothing can be made of the file. */
static json_t *read_builds(void)
{
        _cleanup_(freep) char *path = file_name();
        _cleanup_(json_decrefp) json_t *all = json_read(path, FILE_LIMIT, NULL);
        json_t *builds = NULL;
        int64_t version;

        if (json_is_object(all) && json_get_int(all, "version", &version, NULL) == 0 && version == FORM &&
            json_get_object(all, "builds", &builds, NULL) == 0)
                return json_incref(builds);
        return json_object();
}

struct build_cost builds_recall(const char *build)
{
        _cleanup_(json_decrefp) json_t *builds = read_builds();
        const json_t *entry = json_object_get(builds, build);
        double seconds = json_number_value(json_object_get(entry, "seconds"));
        int64_t bytes = json_integer_value(json_object_get(entry, "bytes"));

        if (!(seconds > 0 && seconds < SECONDS_MOST) || bytes < 0 || bytes > BYTES_MOST)
                return (struct build_cost){ 0 };
        return (struct build_cost){ .ms = (int64_t)(seconds * 1000) + 1, .bytes = bytes };
}

/* Of two that are written at the same time, one may be lost, until it is built again. */
void builds_remember(const char *build, const struct build_cost *cost)
{
        _cleanup_(json_decrefp) json_t *builds = read_builds();
        _cleanup_(json_decrefp) json_t *all = NULL;
        _cleanup_(freep) char *path = file_name();
        _cleanup_(freep) char *folder = path_folder(path);

        json_object_set_new(builds, build,
                            json_pack("{s:f, s:I}", "seconds", (double)cost->ms / 1000, "bytes", (json_int_t)cost->bytes));
        all = json_pack("{s:i, s:O}", "version", FORM, "builds", builds);
        if (file_make_folders(folder, 0700, NULL) == 0)
                json_write(path, all, 0600, NULL);
}

char *build_cost_text(const struct build_cost *cost)
{
        _cleanup_(freep) char *time = cost->ms > 0 ? text_format_roughly(cost->ms) : NULL;
        _cleanup_(freep) char *size = cost->bytes > 0 ? text_format_size(cost->bytes) : NULL;

        if (!time)
                return NULL;
        return xasprintf("%s%s%s%s, as last time", cost->ms >= 8000 ? "about " : "", time, size ? ", " : "", size ? size : "");
}
