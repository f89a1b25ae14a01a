#include <fcntl.h>
#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"
#include "operation/running.h"
#include "vm/ports.h"
#include "vm/vm.h"

struct open_options {
        struct common_options common;
        int64_t local;
        bool print;
};

static const struct option options[] = {
        OPTION(struct open_options, local, "local", 'l', OPTION_INTEGER, "PORT", "port on this computer, if not the same"),
        OPTION(struct open_options, print, "print", 0, OPTION_FLAG, NULL, "print the address and open no browser"),
        COMMON_OPTIONS(struct open_options),
        { 0 },
};

/* So many ports after one that is in use are tried for the hint. */
#define PORTS_TRIED 20

#ifdef __APPLE__
#define BROWSER "open"
#else
#define BROWSER "xdg-open"
#endif

/*
 * Returns the address to open. Browsers keep cookies by host name, whatever the port: on "localhost" a guest's page would get
 * the cookies of every server on this computer, and those servers would get its own. NAME.localhost is another site, and leads
 * to 127.0.0.1 as well (RFC 6761, 6.3). Every VM's name is valid there. Nothing that the guest says is in the address. Owned by
 * the caller.
 */
static char *address_of(const char *vm, uint16_t port)
{
        return xasprintf("http://%s.localhost:%u/", vm, port);
}

/*
 * Returns the shell line that ssh runs as its LocalCommand once it listens. It prints the address, so that a user without a
 * browser sees it, and doesn't wait for the browser. No part has a character that is special to ssh or a shell.
 * Owned by the caller.
 */
static char *announcement(const struct context *context, const char *vm, uint16_t port, bool print)
{
        _cleanup_(freep) char *url = address_of(vm, port);
        _cleanup_(freep) char *browser = print ? xstrdup("") : xasprintf("; " BROWSER " %s >/dev/null 2>&1 &", url);

        if (context->mode == OUTPUT_JSON)
                return xasprintf("echo '{\"event\": \"result\", \"name\": \"%s\", \"port\": %u, \"url\": \"%s\"}'%s", vm, port,
                                 url, browser);
        return xasprintf("echo %s%s", url, browser);
}

/* The next port that a hint can name. */
static uint16_t find_free(const struct vm_record *record, uint16_t port)
{
        for (uint16_t i = 1; i < PORTS_TRIED; i++) {
                uint16_t next = port <= UINT16_MAX - PORTS_TRIED ? port + i : port - i;
                _cleanup_(freep) char *holder = ports_holder(next);

                if (!holder && !ports_guest(record, next))
                        return next;
        }
        return port <= UINT16_MAX - PORTS_TRIED ? port + PORTS_TRIED : port - PORTS_TRIED;
}

static int check_free(const struct vm *vm, uint16_t port, uint16_t guest, struct error **err)
{
        uint16_t other = ports_guest(&vm->record, port);
        _cleanup_(freep) char *holder = other ? NULL : ports_holder(port);
        uint16_t free = other || holder ? find_free(&vm->record, port) : 0;

        if (other) {
                error_set(err, ERROR_FAILED, "port %u on 127.0.0.1 leads to port %u of VM '%s' already", port, other, vm->name);
                return error_hint(err, "machine open %s %u; for the guest's own port %u: machine open %s %u --local %u",
                                  vm->name, other, guest, vm->name, guest, free);
        }
        if (!holder)
                return 0;
        error_set(err, ERROR_FAILED, "port %u on 127.0.0.1 is in use by %s", port, holder);
        return error_hint(err, "machine open %s %u --local %u", vm->name, guest, free);
}

/* The project's `ports` forward it already, as long as the VM runs. Becomes the browser's opener, which is not heard. */
static int show(struct context *context, const struct vm *vm, uint16_t port, bool print, struct error **err)
{
        _cleanup_(freep) char *url = address_of(vm->name, port);
        _cleanup_(freep) char *browser = print ? NULL : process_find(BROWSER);
        _cleanup_(closep) int nowhere = -1;

        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(
                        json_pack("{s:s, s:s, s:i, s:s}", "event", "result", "name", vm->name, "port", (int)port, "url", url));
        else
                printf("%s\n", url);
        if (fflush(stdout) != 0)
                return error_errno(err, ERROR_FAILED, "cannot write to standard output");
        if (!browser)
                return 0;
        nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0 || dup2(nowhere, STDERR_FILENO) < 0)
                return error_errno(err, ERROR_FAILED, "cannot start '%s'", browser);
        return process_exec((const char *const[]){ browser, url, NULL }, NULL, err);
}

/* Becomes an ssh with a connection of its own: on the shared one the port would stay open. */
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
        uint16_t port, forwarded;

        if (operands->count < 1 || text_parse_int(operands->items[operands->count - 1], 1, UINT16_MAX, &guest) < 0 ||
            given->local < 0 || given->local > UINT16_MAX) {
                error_set(err, ERROR_USAGE, "'machine open' needs a port of the guest, 1 to 65535");
                return error_hint(err, "machine open NAME 3000");
        }
        port = (uint16_t)(given->local ? given->local : guest);
        if (running_open(&context->front, operands->count > 1 ? operands->items[0] : NULL, &vm, err) < 0)
                return -1;
        forwarded = ports_host(&vm.record, (uint16_t)guest, (uint16_t)given->local);
        if (forwarded)
                return show(context, &vm, forwarded, given->print, err);
        if (check_free(&vm, port, (uint16_t)guest, err) < 0)
                return -1;
        return forward(context, &vm, port, (uint16_t)guest, given->print, err);
}

const struct command command_open = {
        .name = "open",
        .operands = "[NAME] PORT",
        .summary = "forward a VM's port and open it in a browser",
        .text = "Forwards the port through ssh, to 127.0.0.1 alone, until the command ends. The address is NAME.localhost, so that a\n"
                "page from the VM gets no cookies of other servers on this computer. A port that the project forwards anyway\n"
                "('ports') is only opened, and the command ends at once.",
        .options = options,
        .options_size = sizeof(struct open_options),
        .operands_most = 2,
        .run = run,
};
