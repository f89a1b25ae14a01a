#include "qemu/scratch.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"
#include "qemu/agent.h"

/* A handful of commands, each of which may have to be read from the disk first: how long nothing may move (agent_run()) */
#define SCRIPT_KVM_MS      60000
#define SCRIPT_EMULATED_MS 300000
#define QUIT_MS            10000

int scratch_run(const struct launch *launch, const char *script, const char *argument, struct error **err)
{
        const char *const argv[] = { "/bin/sh", "-s", "--", argument, NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(agent_freep) struct agent *agent = NULL;
        int quiet_ms = launch->acceleration.kvm ? SCRIPT_KVM_MS : SCRIPT_EMULATED_MS;

        if (throwaway_script(script, &text, err) < 0 ||
            agent_connect(launch->runtime->agent, deadline_in(quiet_ms), &agent, err) < 0)
                return -1;
        return agent_run(agent, argv, &text, runtime_qemu(launch->runtime), quiet_ms, err);
}

int scratch_quit(const struct launch *launch, struct qmp *qmp, struct error **err)
{
        int ended;

        /* It may end before it has answered. */
        qmp_call(qmp, "quit", NULL, deadline_in(QUIT_MS), NULL, NULL);
        ended = runtime_wait_end(launch->runtime, -1, deadline_in(QUIT_MS), err);
        if (ended <= 0)
                return ended < 0 ? -1 : error_set(err, ERROR_ENGINE, "QEMU has not ended");
        return 0;
}

void scratch_keep_console(const struct runtime *runtime, const char *kind, const char *key, struct error **err)
{
        _cleanup_(freep) char *logs = paths_state("logs");
        _cleanup_(freep) char *log = xasprintf("%s/%s-%s.log", logs, kind, key);
        _cleanup_(freep) char *shown = text_shell_path(log);

        if (file_make_folders(logs, 0700, NULL) == 0 && file_rename(runtime->console_log, log, NULL) == 0)
                error_hint(err, "less %s", shown);
}
