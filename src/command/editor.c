/*
 * `machine code`, `machine cursor` and `machine zed`: open the folder of a project's repo in an editor that is installed on
 * this computer. The editor then connects by itself, with this computer's ssh, to the host machine-NAME.
 */
#include <unistd.h>

#include "command/command.h"
#include "command/result.h"
#include "guest/folder.h"
#include "lib/file.h"
#include "lib/process.h"
#include "operation/running.h"
#include "vm/vm.h"

#ifdef __APPLE__
#define IS_MAC true
#else
#define IS_MAC false
#endif

struct editor_options {
        struct common_options common;
        const char *repo;
};

static const struct option options[] = {
        OPTION(struct editor_options, repo, "repo", 'r', OPTION_TEXT, "REPO", "the repo to open, if not the first"),
        COMMON_OPTIONS(struct editor_options),
        { 0 },
};

/* One word that a host's name and a path in percent-encoding follow opens a folder. */
struct editor {
        const char *title;
        const char *programs[3]; /* NULL-ended: the first of them that is in PATH */
        const char *address;
        const char *site;
        const char *mac; /* what puts its program into PATH there */
};

/*
 * --folder-uri says that it is a folder. With --remote HOST PATH, VS Code has to guess, and takes a name with a dot in it for a
 * file (doResolvePathRemote() in its windowsMainService.ts). Cursor is made from VS Code. A program `zed` may also be the event
 * daemon of ZFS: so distributions call the editor zeditor, and we look for that first.
 */
static const struct editor code = {
        .title = "VS Code",
        .programs = { "code" },
        .address = "--folder-uri=vscode-remote://ssh-remote+",
        .site = "https://code.visualstudio.com",
        .mac = "Shell Command: Install 'code' command in PATH",
};
static const struct editor cursor = {
        .title = "Cursor",
        .programs = { "cursor" },
        .address = "--folder-uri=vscode-remote://ssh-remote+",
        .site = "https://cursor.com",
        .mac = "Shell Command: Install 'cursor' command in PATH",
};
static const struct editor zed = {
        .title = "Zed",
        .programs = { "zeditor", "zed" },
        .address = "ssh://",
        .site = "https://zed.dev",
        .mac = "cli: install",
};

/* An editor is never in an sbin folder, but ZFS's daemon is. */
static bool is_daemon(const char *path)
{
        _cleanup_(freep) char *folder = path_folder(path);
        _cleanup_(freep) char *name = path_base(folder);

        return streq(name, "sbin");
}

static int find_program(const struct editor *editor, char **path, struct error **err)
{
        const char *const *program = editor->programs;

        for (; *program; program++) {
                char *found = process_find(*program);

                if (found && !is_daemon(found)) {
                        set_string(path, found);
                        return 0;
                }
                free(found);
        }
        error_set(err, ERROR_FAILED, "'%s', the command that starts %s, is not in PATH", program[-1], editor->title);
        if (IS_MAC)
                return error_hint(err, "install %s (%s) and choose \"%s\" in its command palette", editor->title, editor->site,
                                  editor->mac);
        return error_hint(err, "install %s: %s", editor->title, editor->site);
}

static void add_encoded(struct strbuf *out, const char *path)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";

        for (const char *c = path; *c; c++)
                if (strchr(plain, *c))
                        strbuf_addc(out, *c);
                else
                        strbuf_addf(out, "%%%02X", (unsigned char)*c);
}

/* With JSON, what the editor prints must not come after our result on standard output. */
static int announce(struct context *context, const struct editor *editor, const struct vm *vm, const char *path,
                    struct error **err)
{
        event_note(context->front.events, "opening %s in %s", path, editor->title);
        event_note(context->front.events,
                   "%s trusts the VM: code in '%s' may be able to run commands on this computer through the editor",
                   editor->title, vm->name);
        output_settle(context->output);
        if (context->mode != OUTPUT_JSON)
                return 0;
        result_json(json_pack("{s:s, s:s, s:s, s:s}", "event", "result", "name", vm->name, "folder", path, "editor",
                              editor->title));
        if (fflush(stdout) != 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
                return error_errno(err, ERROR_FAILED, "cannot write to standard output");
        return 0;
}

static int open_in(const struct editor *editor, struct context *context, const struct invocation *invocation,
                   struct error **err)
{
        const struct editor_options *given = invocation->options;
        _cleanup_(strbuf_clear) struct strbuf address = STRBUF_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *program = NULL;
        _cleanup_(freep) char *alias = NULL;
        _cleanup_(freep) char *path = NULL;

        if (find_program(editor, &program, err) < 0 ||
            running_open(&context->front, invocation_name(invocation), &vm, err) < 0 ||
            folder_path(&vm, given->repo, &path, err) < 0)
                return -1;
        alias = vm_alias(vm.name);
        strbuf_addf(&address, "%s%s", editor->address, alias);
        add_encoded(&address, path);
        if (announce(context, editor, &vm, path, err) < 0)
                return -1;
        return process_exec((const char *const[]){ program, address.buf, NULL }, NULL, err);
}

static int run_code(struct context *context, const struct invocation *invocation, struct error **err)
{
        return open_in(&code, context, invocation, err);
}

static int run_cursor(struct context *context, const struct invocation *invocation, struct error **err)
{
        return open_in(&cursor, context, invocation, err);
}

static int run_zed(struct context *context, const struct invocation *invocation, struct error **err)
{
        return open_in(&zed, context, invocation, err);
}

#define TEXT                                                                                                                   \
        "Opens the folder of the project's first repo, or of the one that --repo names, in the editor on this computer.\n"     \
        "Starts the VM if it is stopped. The editor connects to machine-NAME by ssh, and installs its server in the VM.\n"     \
        "An editor trusts what runs in the VM: see \"Editors\" in the guide."

#define EDITOR(identifier, title)                                                                                              \
        const struct command command_##identifier = {                                                                          \
                .name = #identifier,                                                                                           \
                .operands = "[NAME]",                                                                                          \
                .summary = "open the project's folder in " title,                                                              \
                .text = TEXT,                                                                                                  \
                .options = options,                                                                                            \
                .options_size = sizeof(struct editor_options),                                                                 \
                .operands_most = 1,                                                                                            \
                .run = run_##identifier,                                                                                       \
        }

EDITOR(code, "VS Code");
EDITOR(cursor, "Cursor");
EDITOR(zed, "Zed");
