#include "toolkit.h"

#include <errno.h>

#include "arguments.h"
#include "lib/process.h"

#define PROBE_TIMEOUT_MS 10000

const char *const toolkit_environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
                                            NULL };

void toolkit_clear(struct toolkit *toolkit)
{
        free(toolkit->qemu);
        free(toolkit->machine);
        free(toolkit->bubblewrap);
        free(toolkit->note);
        *toolkit = (struct toolkit)TOOLKIT_INIT;
}

char *toolkit_qemu(struct error **err)
{
        const char *name = arguments_program_name(ARCHITECTURE_HOST);
        _cleanup_(freep) char *found = process_find(name);
        char *path;

        if (!found) {
                error_set(err, ERROR_ENGINE, "'%s' is not installed", name);
                error_hint(err, "sudo apt-get install qemu-system-%s qemu-utils",
                           ARCHITECTURE_HOST == ARCHITECTURE_AARCH64 ? "arm" : "x86");
                return NULL;
        }
        path = realpath(found, NULL);
        if (!path)
                error_errno(err, ERROR_ENGINE, "cannot find '%s'", found);
        return path;
}

/* What `qemu -machine help` prints. */
static int list_machines(const struct toolkit *toolkit, struct strbuf *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(sandbox_clear) struct sandbox sandbox = { .program = toolkit->bubblewrap, .qemu = toolkit->qemu };

        if (toolkit->bubblewrap)
                sandbox_build(&sandbox, &argv);
        strv_adds(&argv, toolkit->qemu, "-machine", "help", NULL);
        return process_check(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .environment = toolkit_environment,
                                                     .timeout_ms = PROBE_TIMEOUT_MS },
                             out, err);
}

static int list_machines_somehow(struct toolkit *toolkit, struct strbuf *out, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;

        toolkit->bubblewrap = process_find("bwrap");
        if (!toolkit->bubblewrap) {
                toolkit->note = xstrdup("bubblewrap is not installed: QEMU runs with its own system call filter alone");
                return list_machines(toolkit, out, err);
        }
        if (list_machines(toolkit, out, &reason) == 0)
                return 0;
        set_string(&toolkit->bubblewrap, NULL);
        strbuf_reset(out);
        if (list_machines(toolkit, out, err) < 0)
                return -1;
        toolkit->note = xasprintf("bubblewrap does not work here (%s): QEMU runs with its own system call filter alone",
                                  reason->message);
        return 0;
}

int toolkit_find(struct toolkit *out, struct error **err)
{
        _cleanup_(toolkit_clear) struct toolkit toolkit = { .qemu = toolkit_qemu(err) };
        _cleanup_(strbuf_clear) struct strbuf machines = STRBUF_INIT;
        const char *alias = arguments_machine_name(ARCHITECTURE_HOST);

        if (!toolkit.qemu || list_machines_somehow(&toolkit, &machines, err) < 0)
                return -1;
        toolkit.machine = arguments_parse_machine(machines.buf, alias);
        if (!toolkit.machine)
                return error_set(err, ERROR_ENGINE, "'%s' offers no machine '%s'", toolkit.qemu, alias);
        *out = toolkit;
        toolkit = (struct toolkit)TOOLKIT_INIT;
        return 0;
}
