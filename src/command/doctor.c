/*
 * `machine doctor`: a table of checks; each says what is, whether that's good, and the command that mends it.
 */
#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "command/doctor.h"
#include "command/engines.h"
#include "command/lifecycle.h"
#include "command/line.h"
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

static const char *const verdict_names[] = { [GOOD] = "ok", [WARNING] = "warning", [BAD] = "failed" };

struct report {
        struct context *context;
        json_t *checks;
        unsigned bad;
};

void doctor_say(struct report *report, enum verdict verdict, const char *name, const char *hint, const char *format, ...)
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
        for (const struct doctor_tool *tool = doctor_tools; tool->program; tool++) {
                _cleanup_(freep) char *path = find_tool(tool->program);

                if (path)
                        doctor_say(report, GOOD, tool->program, NULL, "%s", path);
                else
                        doctor_say(report, tool->missing, tool->program, tool->hint, "not found (needed for %s)",
                                   tool->purpose);
        }
}

/* One engine is enough: behind a usable one in the table, another that isn't installed is no trouble. */
static void check_engine(struct report *report, const struct engine *engine, bool *usable)
{
        _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        enum verdict missing = *usable ? GOOD : BAD;

        if (engine->probe(&probe, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                doctor_say(report, BAD, engine->name, error->hint, "%s", text);
                return;
        }
        *usable = *usable || probe.usable;
        doctor_say(report,
                   !probe.usable ? missing
                   : probe.note  ? WARNING
                                 : GOOD,
                   engine->name, probe.hint, "%s%s%s%s%s", probe.version ? probe.version : "not found",
                   probe.acceleration ? ", " : "", probe.acceleration ? probe.acceleration : "", probe.note ? ": " : "",
                   probe.note ? probe.note : "");
}

static void check_engines(struct report *report)
{
        bool usable = false;

        for (const struct engine *const *engine = engines; *engine; engine++)
                check_engine(report, *engine, &usable);
        if (!usable)
                doctor_say(report, BAD, "engines", NULL, "none can run VMs here");
}

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
                doctor_say(report, BAD, "disk space", NULL, "cannot ask '%s': %s", folder, strerror(errno));
                return;
        }
        available = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
        _cleanup_(freep) char *text = text_format_size(available);

        doctor_say(report, available < SPACE_NEEDED ? BAD : GOOD, "disk space",
                   "make room, or set XDG_DATA_HOME to a larger disk", "%s free in '%s'", text, folder);
}

static void say_error(struct report *report, const char *name, const struct error *error)
{
        for (; error; error = error->next) {
                _cleanup_(freep) char *text = error_text(error);

                if (error->file)
                        doctor_say(report, BAD, name, error->hint, "%s:%u:%u: %s", error->file, error->line, error->column,
                                   text);
                else
                        doctor_say(report, BAD, name, error->hint, "%s", text);
        }
}

static void check_configuration(struct report *report)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (projects_read(&projects, &error) < 0)
                say_error(report, "configuration", error);
        else if (!file_exists(projects.file))
                doctor_say(report, WARNING, "configuration", "machine init", "no '%s'", projects.file);
        else
                doctor_say(report, GOOD, "configuration", NULL, "%zu projects in '%s'", projects.count, projects.file);
}

static void check_runtime(struct report *report)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *folder = paths_runtime(&error);

        if (folder)
                doctor_say(report, GOOD, "runtime folder", NULL, "%s", folder);
        else
                say_error(report, "runtime folder", error);
}

static void check_helpers(struct report *report)
{
        for (const char *const *helper = doctor_helpers; *helper; helper++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(freep) char *path = paths_helper(*helper, &error);

                if (path)
                        doctor_say(report, GOOD, *helper, NULL, "%s", path);
                else
                        say_error(report, *helper, error);
        }
}

static void check_line(struct report *report, const char *title, const struct vm *vm)
{
        _cleanup_(freep) char *text = line_text(vm);

        if (text)
                doctor_say(report, WARNING, title, "engine = \"qemu\" holds all of it", "the line around it is weaker: %s",
                           text);
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
        check_line(report, title, &vm);
        if (status.state == VM_BROKEN) {
                _cleanup_(freep) char *hint = xasprintf("machine rebuild %s", name);

                doctor_say(report, BAD, title, hint, "broken: %s", status.reason ? status.reason : "no reason known");
        } else if (vm.record.intent != INTENT_NONE) {
                _cleanup_(freep) char *hint =
                        xasprintf("machine %s %s", vm.record.intent == INTENT_DESTROY ? "destroy" : "up", name);

                doctor_say(report, WARNING, title, hint, "%s", unfinished[vm.record.intent]);
        } else if (status.state == VM_ABSENT) {
                _cleanup_(freep) char *hint = xasprintf("machine rebuild %s", name);

                doctor_say(report, BAD, title, hint, "its disk is gone");
        } else {
                doctor_say(report, GOOD, title, NULL, "%s", vm_state_name(status.state));
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
        check_tools, check_helpers,       check_engines, doctor_check_system,
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
