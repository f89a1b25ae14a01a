/*
 * `machine paste`: brings the image in this computer's clipboard into the guest, as a file, for an agent there to look at. The
 * clipboard is read by this command alone, once, and goes in this direction only.
 */
#include <time.h>

#include "command/command.h"
#include "command/result.h"
#include "guest/file.h"
#include "host/clipboard.h"
#include "operation/running.h"
#include "vm/vm.h"

/* Below the home of the guest's user. What is there is a cache: `destroy` doesn't count it as work. */
#define FOLDER ".cache/machine/paste"

struct paste_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct paste_options),
        { 0 },
};

/* "2026-01-02-040405-678.png", by local time. Owned by the caller. */
static char *file_name(void)
{
        struct timespec now = { 0 };
        struct tm local = { 0 };
        char text[32];

        clock_gettime(CLOCK_REALTIME, &now);
        localtime_r(&now.tv_sec, &local);
        strftime(text, sizeof(text), "%Y-%m-%d-%H%M%S", &local);
        return xasprintf("%s-%03ld.png", text, now.tv_nsec / 1000000);
}

static void print_path(struct context *context, const struct vm *vm, const char *path, size_t bytes)
{
        output_settle(context->output);
        if (context->mode == OUTPUT_JSON)
                result_json(json_pack("{s:s, s:s, s:I}", "name", vm->name, "path", path, "bytes", (json_int_t)bytes));
        else
                puts(path);
}

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf image = STRBUF_INIT;
        _cleanup_(freep) char *name = file_name();
        _cleanup_(freep) char *home = NULL, *file = xasprintf(FOLDER "/%s", name), *path = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        bool created;

        /* First: a VM is not started for nothing. */
        if (clipboard_image(&image, err) < 0 || running_open(&context->front, invocation_name(invocation), &vm, err) < 0)
                return -1;
        home = xasprintf("/home/%s", vm.record.user);
        path = xasprintf("%s/%s", home, file);
        if (file_in_guest_write(&vm, home, file, &image, &created, err) < 0)
                return -1;
        print_path(context, &vm, path, image.len);
        return 0;
}

const struct command command_paste = {
        .name = "paste",
        .operands = "[NAME]",
        .summary = "bring the image in the clipboard into a VM, and print its path there",
        .text = "The image becomes a PNG file below ~/" FOLDER " in the guest, for an agent there to look at.\n"
                "Needs wl-paste (wl-clipboard) under Wayland, xclip under X11, and pngpaste on macOS.",
        .options = options,
        .options_size = sizeof(struct paste_options),
        .operands_most = 1,
        .run = run,
};
