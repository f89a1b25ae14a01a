#include "operation/doctor.h"

#include <errno.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config/project.h"
#include "config/settings.h"
#include "config/trust.h"
#include "host/keys.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/process.h"
#include "lib/text.h"
#include "operation/boundary.h"
#include "operation/doctor-system.h"
#include "operation/engines.h"
#include "operation/repair.h"
#include "vm/vm.h"

#define SPACE_NEEDED     (INT64_C(4) << 30)
#define DOWNLOADS_NEEDED (INT64_C(1) << 30)
#define RUNTIME_NEEDED   (INT64_C(4) << 20)

void doctor_clear(struct doctor *doctor)
{
        for (size_t i = 0; i < doctor->count; i++) {
                free(doctor->checks[i].name);
                free(doctor->checks[i].detail);
                free(doctor->checks[i].hint);
        }
        free(doctor->checks);
        *doctor = (struct doctor)DOCTOR_INIT;
}

void doctor_say(struct doctor *doctor, enum doctor_verdict verdict, const char *name, const char *hint, const char *format, ...)
{
        struct doctor_check check = { .verdict = verdict, .name = xstrdup(name), .hint = hint ? xstrdup(hint) : NULL };
        va_list args;

        va_start(args, format);
        check.detail = xvasprintf(format, args);
        va_end(args);
        doctor->checks = xreallocarray(doctor->checks, doctor->count + 1, sizeof(*doctor->checks));
        doctor->checks[doctor->count++] = check;
        if (verdict == DOCTOR_BAD)
                doctor->bad++;
}

/* Says it of the last check. */
static void say_optional(struct doctor *doctor, bool optional)
{
        doctor->checks[doctor->count - 1].optional = optional;
}

/* mke2fs and similar tools are in folders that a plain user's PATH may lack. */
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

static void check_tools(struct doctor *doctor)
{
        for (const struct doctor_tool *tool = doctor_tools; tool->program; tool++) {
                _cleanup_(freep) char *path = find_tool(tool->program);

                if (path)
                        doctor_say(doctor, DOCTOR_GOOD, tool->program, NULL, "%s", path);
                else
                        doctor_say(doctor, tool->missing, tool->program, tool->hint, "not found (%s %s)",
                                   tool->missing == DOCTOR_BAD ? "needed for" : "for", tool->purpose);
                if (!path)
                        say_optional(doctor, tool->missing != DOCTOR_BAD);
        }
}

/* One usable engine is enough: when a later one in the table isn't installed, that is not a failure. */
static void check_engine(struct doctor *doctor, const struct engine *engine, bool *usable)
{
        _cleanup_(engine_probe_clear) struct engine_probe probe = ENGINE_PROBE_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        enum doctor_verdict missing = *usable ? DOCTOR_GOOD : DOCTOR_BAD;
        bool optional;

        if (engine->probe(&probe, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                doctor_say(doctor, DOCTOR_BAD, engine->name, error->hint, "%s", text);
                return;
        }
        optional = *usable && !probe.usable;
        *usable = *usable || probe.usable;
        doctor_say(doctor,
                   !probe.usable ? missing
                   : probe.note  ? DOCTOR_WARNING
                                 : DOCTOR_GOOD,
                   engine->name, probe.hint, "%s%s%s%s%s", probe.version ? probe.version : "not found",
                   probe.acceleration ? ", " : "", probe.acceleration ? probe.acceleration : "", probe.note ? ": " : "",
                   probe.note ? probe.note : "");
        say_optional(doctor, optional);
}

static void check_engines(struct doctor *doctor)
{
        bool usable = false;

        for (const struct engine *const *engine = vm_engines(); *engine; engine++)
                check_engine(doctor, *engine, &usable);
        if (!usable)
                doctor_say(doctor, DOCTOR_BAD, "engines", NULL, "none can run VMs here");
}

/* Returns the nearest folder that exists: before the first `up` ours don't. */
static char *existing_folder(char *path)
{
        while (!file_is_folder(path) && !streq(path, "/"))
                set_string(&path, path_folder(path));
        return path;
}

/* Where room is needed, and how much less is too little. */
static const struct {
        const char *name;
        char *(*path)(const char *name);
        const char *inner;
        int64_t least;
        const char *variable;
} rooms[] = {
        { "room for VMs", paths_state, "vms", SPACE_NEEDED, "XDG_STATE_HOME" },
        { "room for layers", paths_data, NULL, SPACE_NEEDED, "XDG_DATA_HOME" },
        { "room for downloads", paths_cache, NULL, DOWNLOADS_NEEDED, "XDG_CACHE_HOME" },
};

static void check_room(struct doctor *doctor, const char *name, const char *folder, int64_t least, const char *hint)
{
        _cleanup_(freep) char *text = NULL;
        struct statvfs info;
        int64_t available;

        if (statvfs(folder, &info) < 0) {
                doctor_say(doctor, DOCTOR_BAD, name, NULL, "cannot ask '%s': %s", folder, strerror(errno));
                return;
        }
        available = (int64_t)info.f_bavail * (int64_t)info.f_frsize;
        text = text_format_size(available);
        doctor_say(doctor, available < least ? DOCTOR_BAD : DOCTOR_GOOD, name, hint, "%s free in '%s'", text, folder);
}

static void check_space(struct doctor *doctor)
{
        _cleanup_(freep) char *runtime = paths_runtime(NULL);

        for (size_t i = 0; i < ARRAY_SIZE(rooms); i++) {
                _cleanup_(freep) char *folder = existing_folder(rooms[i].path(rooms[i].inner));
                _cleanup_(freep) char *hint = xasprintf("make room, or set %s to a larger disk", rooms[i].variable);

                check_room(doctor, rooms[i].name, folder, rooms[i].least, hint);
        }
        /* check_runtime() says why there is none. */
        if (runtime)
                check_room(doctor, "room for sockets", runtime, RUNTIME_NEEDED, "make room there");
}

void doctor_say_error(struct doctor *doctor, const char *name, const struct error *error)
{
        for (; error; error = error->next) {
                _cleanup_(freep) char *text = error_text(error);

                if (error->file)
                        doctor_say(doctor, DOCTOR_BAD, name, error->hint, "%s:%u:%u: %s", error->file, error->line,
                                   error->column, text);
                else
                        doctor_say(doctor, DOCTOR_BAD, name, error->hint, "%s", text);
        }
}

static void check_configuration(struct doctor *doctor)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (projects_read(&projects, &error) < 0)
                doctor_say_error(doctor, "configuration", error);
        else if (!file_exists(projects.file))
                doctor_say(doctor, DOCTOR_WARNING, "configuration", "machine init --projects", "no '%s'", projects.file);
        else
                doctor_say(doctor, DOCTOR_GOOD, "configuration", NULL, "%zu projects in '%s'", projects.count, projects.file);
}

/* Files that nothing else here reads. */
static void check_files(struct doctor *doctor)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        _cleanup_(strv_clear) struct strv trusted = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (settings_read(&settings, &error) < 0)
                doctor_say_error(doctor, "settings", error);
        if (trust_files(&trusted, &error) < 0)
                doctor_say_error(doctor, "trust", error);
}

static void check_runtime(struct doctor *doctor)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *folder = paths_runtime(&error);

        if (folder)
                doctor_say(doctor, DOCTOR_GOOD, "runtime folder", NULL, "%s", folder);
        else
                doctor_say_error(doctor, "runtime folder", error);
}

static void check_helpers(struct doctor *doctor)
{
        for (const char *const *helper = doctor_helpers; *helper; helper++) {
                _cleanup_(error_freep) struct error *error = NULL;
                _cleanup_(freep) char *path = paths_helper(*helper, &error);

                if (path)
                        doctor_say(doctor, DOCTOR_GOOD, *helper, NULL, "%s", path);
                else
                        doctor_say_error(doctor, *helper, error);
        }
}

static void check_line(struct doctor *doctor, const char *title, const struct vm *vm)
{
        _cleanup_(freep) char *text = boundary_text(vm);

        const struct engine *whole = vm_whole_engine();
        _cleanup_(freep) char *hint = whole ? xasprintf("engine = \"%s\" holds all of it", whole->name) : NULL;

        if (text)
                doctor_say(doctor, DOCTOR_WARNING, title, hint, "the line around this VM is weaker: %s", text);
}

/* The disk of a VM that doesn't run. One that is whole says of itself whose it is, or what it stands on. */
static void check_disk(struct doctor *doctor, const char *title, const struct vm *vm)
{
        _cleanup_(vm_record_clear) struct vm_record said = VM_RECORD_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        int there = vm->engine->remains ? vm->engine->remains(vm, &said, &error) : 0;

        if (there < 0) {
                doctor_say_error(doctor, title, error);
        } else if (there > 0 && !said.uuid && !said.base && said.disk_bytes == 0) {
                error_set(&error, ERROR_ENGINE, "its disk is damaged");
                vm_hint_aside(vm, &error);
                doctor_say_error(doctor, title, error);
        } else {
                doctor_say(doctor, DOCTOR_GOOD, title, NULL, "%s", vm_state_name(VM_STOPPED));
        }
}

/* What can be done for a broken VM: about the layer that it stands on, or else about its files. Owned by the caller. */
static char *find_remedy(const struct vm *vm)
{
        const struct engine *engine = engine_of_layers();
        _cleanup_(error_freep) struct error *error = NULL;

        /* What only has the wrong owner or mode is not lost. */
        if (vm->record.base && engine->has_layer(vm->record.base, &error) < 0 && error->hint &&
            !starts_with(error->hint, "machine "))
                return xstrdup(error->hint);
        error_set(&error, ERROR_ENGINE, "broken");
        vm_hint_aside(vm, &error);
        return xasprintf("restore what is missing from a backup; or, to keep all of it and begin anew: %s", error->hint);
}

/* Returns true when there was something to say. */
static bool check_lost(struct doctor *doctor, const char *title, const struct vm *vm)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *hint = NULL;
        struct engine_lost lost;

        if (vm_find_lost(vm, &lost, &error) < 0) {
                doctor_say_error(doctor, title, error);
                return true;
        }
        if (lost.now) {
                hint = xasprintf("machine up %s", vm->name);
                doctor_say(doctor, DOCTOR_BAD, title, hint, "running, but it has lost %s", lost.now);
        } else if (lost.later) {
                hint = xasprintf("machine restart %s", vm->name);
                doctor_say(doctor, DOCTOR_WARNING, title, hint, "running, but it has lost %s", lost.later);
        }
        return lost.now || lost.later;
}

/* Returns true when a command is at work on the VM, so that what is half done says nothing. */
static bool is_in_hand(struct doctor *doctor, const char *title, const struct vm *vm)
{
        if (vm->record.intent == INTENT_NONE || !vm_is_busy(vm))
                return false;
        doctor_say(doctor, DOCTOR_GOOD, title, NULL, "another 'machine' command is %s it",
                   vm->record.intent == INTENT_DESTROY ? "removing" : "making");
        return true;
}

static void check_vm(struct doctor *doctor, const char *name)
{
        static const char *const unfinished[] = {
                [INTENT_CREATE] = "half made", [INTENT_SETUP] = "half set up", [INTENT_DESTROY] = "half removed"
        };
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *title = xasprintf("VM %s", name);
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (vm_open_existing(&vm, name, &error) < 0 || vm_inspect(&vm, &status, &error) < 0) {
                doctor_say_error(doctor, title, error);
                return;
        }
        check_line(doctor, title, &vm);
        if (is_in_hand(doctor, title, &vm))
                return;
        if (vm.damage) {
                doctor_say(doctor, DOCTOR_WARNING, title, "machine doctor --repair", "its record is read from a copy: %s",
                           vm.damage);
        } else if (status.state == VM_RUNNING && !keys_are_whole(vm.folder)) {
                _cleanup_(freep) char *hint = xasprintf("machine restart %s", name);

                doctor_say(doctor, DOCTOR_BAD, title, hint, "a key in '%s' is damaged", vm.folder);
        } else if (status.state == VM_BROKEN) {
                _cleanup_(freep) char *hint = find_remedy(&vm);

                doctor_say(doctor, DOCTOR_BAD, title, hint, "broken: %s", status.reason ? status.reason : "no reason known");
        } else if (status.state == VM_PAUSED || status.state == VM_UNRESPONSIVE) {
                _cleanup_(freep) char *text = vm_status_text(&status);

                doctor_say(doctor, DOCTOR_BAD, title, status.hint, "%s", text);
        } else if (vm.record.intent != INTENT_NONE) {
                _cleanup_(freep) char *hint =
                        xasprintf("machine %s %s", vm.record.intent == INTENT_DESTROY ? "destroy" : "up", name);

                doctor_say(doctor, DOCTOR_WARNING, title, hint, "%s", unfinished[vm.record.intent]);
        } else if (status.state == VM_ABSENT) {
                _cleanup_(freep) char *hint = xasprintf("machine rebuild %s", name);

                doctor_say(doctor, DOCTOR_BAD, title, hint, "its disk is gone");
        } else if (status.state == VM_STOPPED) {
                check_disk(doctor, title, &vm);
        } else if (status.state != VM_RUNNING || !check_lost(doctor, title, &vm)) {
                doctor_say(doctor, DOCTOR_GOOD, title, NULL, "%s", vm_state_name(status.state));
        }
}

static void check_vms(struct doctor *doctor)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (vm_list(&names, &error) < 0)
                doctor_say_error(doctor, "VMs", error);
        for (size_t i = 0; i < names.count; i++)
                check_vm(doctor, names.items[i]);
}

static void (*const checks[])(struct doctor *) = {
        check_tools,         check_helpers, check_engines, doctor_check_system,       check_space,
        check_configuration, check_files,   check_runtime, doctor_check_certificates, check_vms,
};

void doctor_look(const struct doctor_wish *wish, struct doctor *out)
{
        if (wish->repair)
                repair_vms(wish->front);
        for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
                checks[i](out);
        doctor_check_layers(out, wish);
}
