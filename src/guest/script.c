#include "guest/script.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"

#define SCRIPT_LIMIT (64 << 10)

int script_text(const char *name, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *shipped = xasprintf("guest/session/%s", name);
        _cleanup_(freep) char *path = paths_shipped(shipped, err);

        return path ? file_read(path, SCRIPT_LIMIT, out, err) : -1;
}

static int add_command(const char *name, const struct strv *args, const char *preamble, struct strbuf *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        strbuf_adds(&script, preamble ? preamble : "");
        if (script_text(name, &script, err) < 0)
                return -1;
        strbuf_adds(out, "exec sh -c ");
        text_shell_quote(out, script.buf);
        strbuf_adds(out, " sh");
        for (size_t i = 0; args && i < args->count; i++) {
                strbuf_addc(out, ' ');
                text_shell_quote(out, args->items[i]);
        }
        return 0;
}

int script_command(const char *name, const struct strv *args, struct strbuf *out, struct error **err)
{
        return add_command(name, args, NULL, out, err);
}

int script_run(const struct session *session, const char *name, const struct strv *args, const char *preamble, int timeout_ms,
               process_line_fn on_line, void *on_line_data, struct strbuf *out, struct error **err)
{
        static const struct strv none = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf script = STRBUF_INIT;

        if (preamble)
                strbuf_adds(&script, preamble);
        if (script_text(name, &script, err) < 0)
                return -1;
        return session_script(session, script.buf, strv_argv(args ? args : &none), timeout_ms, on_line, on_line_data, out, err);
}

int script_feed(const struct session *session, const char *name, const struct strv *args, const char *preamble,
                const struct process_spec *how, struct strbuf *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;

        return add_command(name, args, preamble, &remote, err) < 0 ? -1 : session_run(session, remote.buf, how, out, err);
}
