/*
 * `machine doctor`: a table of checks; each says what is, whether that's good, and the command that mends it.
 */
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command/engines.h"
#include "command/lifecycle.h"
#include "command/result.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"

#define SPACE_NEEDED (INT64_C(4) << 30)

struct doctor_options {
        struct common_options common;
};

static const struct option options[] = {
        COMMON_OPTIONS(struct doctor_options),
        { 0 },
};

enum verdict { GOOD, WARNING, BAD };

static const char *const verdict_names[] = { [GOOD] = "ok", [WARNING] = "warning", [BAD] = "failed" };

struct report {
        struct context *context;
        json_t *checks;
        unsigned bad;
};

static void say(struct report *report, enum verdict verdict, const char *name, const char *hint, const char *format, ...)
        _printf_(5, 6);

static void say(struct report *report, enum verdict verdict, const char *name, const char *hint, const char *format, ...)
{
        _cleanup_(freep) char *detail = NULL;
        va_list args;

        va_start(args, format);
        detail = xvasprintf(format, args);
        va_end(args);
        if (verdict == BAD)
                report->bad++;
        if (report->context->mode == OUTPUT_JSON) {
                json_t *check = json_pack("{s:s, s:s, s:s}", "name", name, "status", verdict_names[verdict], "detail", detail);

                json_object_set_new(check, "hint", hint ? json_string(hint) : json_null());
                json_array_append_new(report->checks, check);
                return;
        }
        if (verdict == GOOD && report->context->quiet)
                return;
        printf("%-8s %-18s %s\n", verdict_names[verdict], name, detail);
        if (hint && verdict != GOOD)
                printf("%-8s %-18s -> %s\n", "", "", hint);
}

struct tool {
        const char *program;
        enum verdict missing; /* how bad it is when it isn't there */
        const char *purpose;
        const char *package; /* of Debian */
};

static const struct tool tools[] = {
        { "ssh", BAD, "every session", "openssh-client" },
        { "ssh-keygen", BAD, "keys of VMs", "openssh-client" },
        { "git", BAD, "repos", "git" },
#ifdef __linux__
        { "qemu-img", BAD, "disks of VMs", "qemu-utils" },
        { "mmdebstrap", BAD, "the base image", "mmdebstrap" },
        { "mke2fs", BAD, "the base image", "e2fsprogs" },
        { "bwrap", WARNING, "a second wall around QEMU", "bubblewrap" },
        { "newuidmap", WARNING, "the base image, as a plain user", "uidmap" },
#endif
};

/* mke2fs and its kin lie where a plain user's PATH may not lead. */
static char *find_tool(const char *program)
{
        static const char *const folders[] = { "/usr/sbin", "/sbin" };
        char *path = process_find(program);

        for (size_t i = 0; !path && i < ARRAY_SIZE(folders); i++) {
                path = path_join(folders[i], program);
                if (access(path, X_OK) < 0)
                        set_string(&path, NULL);
        }
        return path;
}

static void check_tools(struct report *report)
{
        for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
                _cleanup_(freep) char *path = find_tool(tools[i].program);
                _cleanup_(freep) char *hint = xasprintf("sudo apt-get install %s", tools[i].package);

                if (path)
                        say(report, GOOD, tools[i].program, NULL, "%s", path);
                else
                        say(report, tools[i].missing, tools[i].program, hint, "not found (needed for %s)", tools[i].purpose);
        }
}

static void check_engines(struct report *report)
{
        unsigned usable = 0;

        for (const struct engine *const *engine = engines; *engine; engine++) {
                _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
                _cleanup_(error_freep) struct error *error = NULL;

                if ((*engine)->probe(&probe, &error) < 0) {
                        _cleanup_(freep) char *text = error_text(error);

                        say(report, BAD, (*engine)->name, error->hint, "%s", text);
                        continue;
                }
                usable += probe.usable;
                say(report,
                    !probe.usable ? BAD
                    : probe.note  ? WARNING
                                  : GOOD,
                    (*engine)->name, probe.hint, "%s%s%s%s%s", probe.version ? probe.version : "not found",
                    probe.acceleration ? ", " : "", probe.acceleration ? probe.acceleration : "", probe.note ? ": " : "",
                    probe.note ? probe.note : "");
        }
        if (!usable)
                say(report, BAD, "engines", NULL, "none can run VMs here");
}

#ifdef __linux__
static bool sysctl_is(const char *path, char value)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        return file_read(path, 64, &text, NULL) == 0 && text.len > 0 && text.buf[0] == value;
}

static bool has_subordinate_ids(const char *file, const char *user)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *line = xasprintf("%s:", user);
        _cleanup_(freep) char *later = xasprintf("\n%s:", user);

        return file_read(file, 1 << 20, &text, NULL) == 0 && (starts_with(text.buf, line) || strstr(text.buf, later));
}

/* The base image of a plain user is made in a user namespace; Ubuntu and hardened kernels forbid them in three ways. */
static void check_user_namespaces(struct report *report)
{
        static const char *const unshare[] = { "unshare", "--user", "--map-root-user", "true", NULL };
        _cleanup_(error_freep) struct error *error = NULL;
        const char *user = getenv("USER") ? getenv("USER") : getlogin();

        if (sysctl_is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", '1'))
                say(report, geteuid() == 0 ? GOOD : WARNING, "user namespaces",
                    "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
                    "AppArmor lets only programs with a profile use them (mmdebstrap and bwrap have one on Ubuntu 24.04 and later)");
        else if (sysctl_is("/proc/sys/kernel/unprivileged_userns_clone", '0'))
                say(report, geteuid() == 0 ? GOOD : BAD, "user namespaces", "sudo sysctl kernel.unprivileged_userns_clone=1",
                    "the kernel keeps them for root");
        else if (process_check(&(struct process_spec){ .argv = unshare, .timeout_ms = 5000 }, NULL, &error) < 0)
                say(report, geteuid() == 0 ? WARNING : BAD, "user namespaces", "sudo sysctl user.max_user_namespaces=15000",
                    "cannot be made: the base image can't be built by a plain user, and QEMU runs without bubblewrap");
        else
                say(report, GOOD, "user namespaces", NULL, "can be made");
        if (geteuid() == 0 || !user)
                return;
        if (!has_subordinate_ids("/etc/subuid", user) || !has_subordinate_ids("/etc/subgid", user)) {
                _cleanup_(freep) char *hint =
                        xasprintf("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 %s", user);

                say(report, BAD, "subordinate ids", hint, "'%s' has none in /etc/subuid and /etc/subgid", user);
        } else {
                say(report, GOOD, "subordinate ids", NULL, "'%s' has them", user);
        }
}
#else
static void check_user_namespaces(struct report *report)
{
        (void)report;
}
#endif

/* The nearest folder that is there: before the first `up` ours aren't. */
static char *existing_folder(char *path)
{
        while (!file_is_folder(path) && !streq(path, "/"))
                set_string(&path, path_folder(path));
        return path;
}

static void check_space(struct report *report)
{
        _cleanup_(freep) char *folder = existing_folder(paths_data(NULL));
        struct statvfs info;
        int64_t available;

        if (statvfs(folder, &info) < 0) {
                say(report, BAD, "disk space", NULL, "cannot ask '%s': %s", folder, strerror(errno));
                return;
        }
        available = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
        _cleanup_(freep) char *text = text_format_size(available);

        say(report, available < SPACE_NEEDED ? BAD : GOOD, "disk space", "make room, or set XDG_DATA_HOME to a larger disk",
            "%s free in '%s'", text, folder);
}

static void say_error(struct report *report, const char *name, const struct error *error)
{
        for (; error; error = error->next) {
                _cleanup_(freep) char *text = error_text(error);

                if (error->file)
                        say(report, BAD, name, error->hint, "%s:%u:%u: %s", error->file, error->line, error->column, text);
                else
                        say(report, BAD, name, error->hint, "%s", text);
        }
}

static void check_configuration(struct report *report)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (projects_read(&projects, &error) < 0)
                say_error(report, "configuration", error);
        else if (!file_exists(projects.file))
                say(report, WARNING, "configuration", "machine init", "no '%s'", projects.file);
        else
                say(report, GOOD, "configuration", NULL, "%zu projects in '%s'", projects.count, projects.file);
}

static void check_runtime(struct report *report)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *folder = paths_runtime(&error);

        if (folder)
                say(report, GOOD, "runtime folder", NULL, "%s", folder);
        else
                say_error(report, "runtime folder", error);
}

static void check_helpers(struct report *report)
{
        static const char *const helpers[] = { "machine-net" };

        for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(freep) char *path = paths_helper(helpers[i], &error);

                if (path)
                        say(report, GOOD, helpers[i], NULL, "%s", path);
                else
                        say_error(report, helpers[i], error);
        }
}

static void check_vm(struct report *report, const char *name)
{
        static const char *const unfinished[] = {
                [INTENT_CREATE] = "half made", [INTENT_SETUP] = "half set up", [INTENT_DESTROY] = "half removed"
        };
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *title = xasprintf("VM %s", name);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (vm_open_existing(&vm, name, &error) < 0 || vm_inspect(&vm, &status, &error) < 0) {
                say_error(report, title, error);
                return;
        }
        if (status.state == VM_BROKEN) {
                _cleanup_(freep) char *hint = xasprintf("machine rebuild %s", name);

                say(report, BAD, title, hint, "broken: %s", status.reason ? status.reason : "no reason known");
        } else if (vm.record.intent != INTENT_NONE) {
                _cleanup_(freep) char *hint =
                        xasprintf("machine %s %s", vm.record.intent == INTENT_DESTROY ? "destroy" : "up", name);

                say(report, WARNING, title, hint, "%s", unfinished[vm.record.intent]);
        } else if (status.state == VM_ABSENT) {
                _cleanup_(freep) char *hint = xasprintf("machine rebuild %s", name);

                say(report, BAD, title, hint, "its disk is gone");
        } else {
                say(report, GOOD, title, NULL, "%s", vm_state_name(status.state));
        }
}

static void check_vms(struct report *report)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (vm_list(&names, &error) < 0)
                say_error(report, "VMs", error);
        for (size_t i = 0; i < names.count; i++)
                check_vm(report, names.items[i]);
}

static void (*const checks[])(struct report *) = {
        check_tools, check_helpers,       check_engines, check_user_namespaces,
        check_space, check_configuration, check_runtime, check_vms,
};

static int run(struct context *context, const struct invocation *invocation, struct error **err)
{
        struct report report = { .context = context, .checks = json_array() };

        for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
                checks[i](&report);
        if (context->mode == OUTPUT_JSON)
                result_json(report.checks);
        else
                json_decref(report.checks);
        if (report.bad == 0)
                return 0;
        return error_set(err, ERROR_FAILED, "%u check%s failed", report.bad, report.bad == 1 ? "" : "s");
}

const struct command command_doctor = {
        .name = "doctor",
        .operands = "",
        .summary = "check this machine, the configuration and every VM",
        .text = "Each trouble comes with the command that mends it. Exit status 1 when a check failed.",
        .options = options,
        .options_size = sizeof(struct doctor_options),
        .operands_most = 0,
        .run = run,
};
