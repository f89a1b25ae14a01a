#include "host/walls.h"

#include "host/paths.h"
#include "lib/json.h"
#include "lib/process.h"

#define ASK_TIMEOUT_MS 30000

static int read_walls(const struct strbuf *text, const char *name, struct walls *out, struct error **err)
{
        _cleanup_(json_decrefp) json_t *said = json_parse(text->buf, text->len, name, err);
        int64_t landlock;

        if (!said || json_get_bool(said, "system_calls", &out->system_calls, err) < 0 ||
            json_get_bool(said, "scopes", &out->scopes, err) < 0 || json_get_int(said, "landlock", &landlock, err) < 0)
                return -1;
        out->landlock = (int)landlock;
        return 0;
}

int walls_of_helper(const char *name, struct walls *out, struct error **err)
{
        _cleanup_(freep) char *program = paths_helper(name, err);
        const char *const argv[] = { program, "--walls", NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (!program)
                return -1;
        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = ASK_TIMEOUT_MS }, &text, err) < 0)
                return error_wrap(err, "%s can't be confined", name);
        return read_walls(&text, name, out, err);
}
