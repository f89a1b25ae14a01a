#include "audit/look.h"

#include "lib/process.h"

#define TIMEOUT_MS 10000

int look_confinement(pid_t pid _unused_, struct look_confinement *out _unused_, struct error **err _unused_)
{
        return 0;
}

/* lsof(8), OUTPUT FOR OTHER PROGRAMS: one field a line; "n" is the name, here "ADDRESS:PORT". It ends with 1 when it finds
 * nothing. */
int look_listening(const struct engine_processes *processes, struct strv *out, struct error **err)
{
        for (size_t i = 0; i < processes->count; i++) {
                _cleanup_(freep) char *pid = xasprintf("%d", (int)processes->items[i].pid);
                const char *const argv[] = { "lsof", "-a", "-nP", "-p", pid, "-iTCP", "-sTCP:LISTEN", "-Fn", NULL };
                _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

                if (process_run(&(struct process_spec){ .argv = argv, .timeout_ms = TIMEOUT_MS }, &result, err) < 0)
                        return -1;
                for (char *line = result.out.buf; *line; line += strcspn(line, "\n"), line += *line == '\n')
                        if (*line == 'n') {
                                _cleanup_(freep) char *place = xstrndup(line + 1, strcspn(line + 1, "\n"));

                                if (!strv_contains(out, place))
                                        strv_add(out, place);
                        }
        }
        strv_sort(out);
        return 0;
}
