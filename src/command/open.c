#include "command/command.h"
#include "command/wake.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"
#include "vm/ports.h"

struct open_options {
        struct common_options common;
        int64_t local;
        bool print;
};

static const struct option options[] = {
        OPTION(struct open_options, local, "local", 'l', OPTION_INTEGER, "PORT",
               "port of this computer, when it isn't to be the same"),
        OPTION(struct open_options, print, "print", 0, OPTION_FLAG, NULL, "print the address and open no browser"),
        COMMON_OPTIONS(struct open_options),
        { 0 },
};

#ifdef __APPLE__
#define BROWSER "open"
#else
#define BROWSER "xdg-open"
#endif

/*
 * What ssh's LocalCommand says once it listens: a line for a shell. Nobody waits for the browser, and where there is none the
 * address is on the screen. Neither part has a character that ssh or a shell would read otherwise. Owned by the caller.
 */
static char *announcement(const struct context *context, const char *vm, uint16_t port, bool print)
{
        _cleanup_(freep) char *browser =
                print ? xstrdup("") : xasprintf("; " BROWSER " http://localhost:%u/ >/dev/null 2>&1 &", port);

        if (context->mode == OUTPUT_JSON)
                return xasprintf(
                        "echo '{\"event\": \"result\", \"name\": \"%s\", \"port\": %u, \"url\": \"http://localhost:%u/\"}'%s",
                        vm, port, port, browser);
        return xasprintf("echo http://localhost:%u/%s", port, browser);
}

static int check_free(uint16_t port, const char *vm, uint16_t guest, struct error **err)
{
        _cleanup_(freep) char *holder = ports_holder(port);

        if (!holder)
                return 0;
        error_set(err, ERROR_FAILED, "port %u on 127.0.0.1 is in use by %s", port, holder);
        return error_hint(err, "machine open %s %u --local %u", vm, guest, port < UINT16_MAX ? port + 1 : port - 1);
}

/* A connection of its own, and this program becomes it: on the shared one the port would stay open. */
static int forward(struct context *context, const struct vm *vm, uint16_t port, uint16_t guest, bool print, struct error **err)
{
        _cleanup_(freep) char *said = announcement(context, vm->name, port, print);
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "ssh", "-F", NULL);
        strv_take(&argv, path_join(vm->folder, "ssh_config"));
        strv_adds(&argv, "-S", "none", "-o", "ControlMaster=no", "-o", "ExitOnForwardFailure=yes", "-o",
                  "PermitLocalCommand=yes", "-o", NULL);
        strv_addf(&argv, "LocalCommand=%s", said);
        strv_adds(&argv, "-a", "-N", "-L", NULL);
        strv_addf(&argv, "127.0.0.1:%u:127.0.0.1:%u", port, guest);
        strv_add(&argv, "--");
        strv_take(&argv, vm_alias(vm->name));
        output_settle(context->output);
        return process_exec(strv_argv(&argv), NULL, err);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        const struct open_options *given = invocation->options;
        const struct strv *operands = &invocation->operands;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        int64_t guest;
        uint16_t port;

        if (operands->count < 1 || text_parse_int(operands->items[operands->count - 1], 1, UINT16_MAX, &guest) < 0 ||
            given->local < 0 || given->local > UINT16_MAX) {
                error_set(err, ERROR_USAGE, "'machine open' needs a port of the guest, 1 to 65535");
                return error_hint(err, "machine open NAME 3000");
        }
        port = (uint16_t)(given->local ? given->local : guest);
        if (wake(context, operands->count > 1 ? operands->items[0] : NULL, &vm, err) < 0 ||
            check_free(port, vm.name, (uint16_t)guest, err) < 0)
                return -1;
        return forward(context, &vm, port, (uint16_t)guest, given->print, err);
}

const struct command command_open = {
        .name = "open",
        .operands = "[NAME] PORT",
        .summary = "have a port of a VM on this computer, and a browser at it",
        .text = "For as long as it runs: on 127.0.0.1 alone, through ssh. What a project needs every day is better in 'ports'.",
        .options = options,
        .options_size = sizeof(struct open_options),
        .operands_most = 2,
        .run = run,
};
