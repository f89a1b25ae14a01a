#include "scratch.h"

#include <sodium.h>

#include "agent.h"
#include "host/keys.h"
#include "host/paths.h"
#include "lib/file.h"

#define SCRIPT_LIMIT (1 << 20)
/* A handful of commands, each of which may have to be read from the disk first. */
#define SCRIPT_KVM_MS      60000
#define SCRIPT_EMULATED_MS 300000
#define QUIT_MS            10000

/* A project's name has no dot. */
static char *scratch_name(const char *kind, const char *key)
{
        return xasprintf("%s.%.8s", kind, key);
}

int scratch_invent(const char *kind, const char *key, const char *folder, const struct vm_record *size, struct vm *vm,
                   struct error **err)
{
        unsigned char bytes[16];
        char hex[2 * sizeof(bytes) + 1];

        randombytes_buf(bytes, sizeof(bytes));
        sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
        vm->name = scratch_name(kind, key);
        vm->folder = xstrdup(folder);
        vm->record.name = xstrdup(kind);
        vm->record.uuid = xstrdup(hex);
        vm->record.user = xstrdup(size->user);
        vm->record.shell = xstrdup(size->shell);
        vm->record.cpus = size->cpus;
        vm->record.memory_bytes = size->memory_bytes;
        return keys_ensure(folder, vm->name, err);
}

int scratch_script(const char *script, struct strbuf *out, struct error **err)
{
        const char *const names[] = { "strip", script };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *name = xasprintf("guest/template/%s", names[i]);
                _cleanup_(freep) char *path = paths_shipped(name, err);
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

                if (!path || file_read(path, SCRIPT_LIMIT, &text, err) < 0)
                        return -1;
                strbuf_add(out, text.buf, text.len);
        }
        return 0;
}

int scratch_run(const struct launch *launch, const char *script, const char *argument, struct error **err)
{
        const char *const argv[] = { "/bin/sh", "-s", "--", argument, NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(agent_freep) struct agent *agent = NULL;
        deadline limit = deadline_in(launch->acceleration.kvm ? SCRIPT_KVM_MS : SCRIPT_EMULATED_MS);

        if (scratch_script(script, &text, err) < 0 || agent_connect(launch->runtime->agent, limit, &agent, err) < 0)
                return -1;
        return agent_run(agent, argv, &text, limit, err);
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

        if (file_make_folders(logs, 0700, NULL) == 0 && file_rename(runtime->console_log, log, NULL) == 0)
                error_hint(err, "less '%s'", log);
}

int scratch_tidy(const char *kind, const char *folder, const char *const *own, struct error **err)
{
        _cleanup_(freep) char *base = path_base(folder);
        _cleanup_(freep) char *name = scratch_name(kind, base);
        _cleanup_(freep) char *runtime = paths_runtime(err);
        _cleanup_(freep) char *sockets = runtime ? path_join(runtime, name) : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        /* Its sockets lie elsewhere. */
        if (!sockets || file_remove(sockets, err) < 0 || file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);
                bool keep = false;

                for (const char *const *file = own; *file; file++)
                        keep = keep || streq(names.items[i], *file);
                if (!keep && file_remove(path, err) < 0)
                        return -1;
        }
        return 0;
}
