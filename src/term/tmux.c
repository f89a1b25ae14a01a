#include "term/tmux.h"

#include <stdlib.h>

#include "lib/process.h"
#include "lib/util.h"

#define ANSWER_MS 2000
#define PREFIX    "C-b"

/* Asks the tmux that we run in. One that doesn't answer is taken for one with the usual prefix. */
static bool takes_prefix(void)
{
        static const char *const argv[] = { "tmux", "display-message", "-p", "#{prefix} #{prefix2}", NULL };
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        const char *inside = getenv("TMUX");

        if (!inside || !*inside)
                return false;
        if (process_check(&(struct process_spec){ .argv = argv, .timeout_ms = ANSWER_MS }, &said, NULL) < 0 ||
            !strstr(said.buf, "-"))
                return true;
        return strstr(said.buf, PREFIX) != NULL;
}

char *tmux_detach_keys(void)
{
        /* By default a tmux passes its prefix on when it is pressed twice. */
        return xstrdup(takes_prefix() ? "Ctrl-B Ctrl-B D (the first Ctrl-B is for your own tmux)" : "Ctrl-B D");
}
