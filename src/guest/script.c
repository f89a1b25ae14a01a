#include "guest/script.h"

#include "host/paths.h"
#include "lib/file.h"

#define SCRIPT_LIMIT (64 << 10)

int script_run(const struct session *session, const char *name, const struct strv *args, const char *preamble, int timeout_ms,
               process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err)
{
        static const struct strv none = STRV_INIT;
        _cleanup_(freep) char *shipped = xasprintf("guest/session/%s", name);
        _cleanup_(freep) char *path = paths_shipped(shipped, err);
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        if (preamble)
                strbuf_adds(&script, preamble);
        if (!path || file_read(path, SCRIPT_LIMIT, &script, err) < 0)
                return -1;
        return session_script(session, script.buf, strv_argv(args ? args : &none), timeout_ms, on_line, on_line_data, out, err);
}
