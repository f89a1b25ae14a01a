#include "operation/repair.h"

#include <sys/stat.h>
#include <unistd.h>

#include "config/checkout.h"
#include "config/project.h"
#include "config/trust.h"
#include "lib/file.h"
#include "lib/text.h"
#include "operation/describe.h"

/* --- what a VM without a record may be */

/* The folder of the checkout that was trusted for a project of this name. Owned by the caller; NULL = there is none, or more
 * than one. */
static char *find_checkout(const char *name, const struct projects *projects)
{
        _cleanup_(strv_clear) struct strv files = STRV_INIT;
        _cleanup_(freep) char *found = NULL;

        if (trust_files(&files, NULL) < 0)
                return NULL;
        for (size_t i = 0; i < files.count; i++) {
                _cleanup_(project_clear) struct project project = PROJECT_INIT;
                _cleanup_(freep) char *folder = path_folder(files.items[i]);

                if (checkout_read(folder, projects, &project, NULL) < 0 || !streq(project.name, name))
                        continue;
                if (found)
                        return NULL;
                found = TAKE_PTR(folder);
        }
        return TAKE_PTR(found);
}

/* A checkout's file may have changed since it was trusted, so only its name is taken from it. */
static int find_project(const char *name, struct project *out, struct error **err)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        const struct project *configured = projects_read_apart(&projects, NULL) == 0 ? projects_find(&projects, name) : NULL;

        if (configured && !configured->mistakes) {
                project_copy(out, configured);
                return 0;
        }
        if (project_default(out, name, &projects, err) < 0)
                return -1;
        set_string(&out->egress, xstrdup("none"));
        out->checkout = find_checkout(name, &projects);
        return 0;
}

static char *made_when(const char *folder)
{
        struct stat status;

        return text_format_time(lstat(folder, &status) == 0 ? status.st_mtime : 0);
}

/* Finds the engine that has a disk of this VM. *out stays what it was when none has. Returns 1, 0, or -1 when that can't be
 * told. */
static int find_disk(const struct vm *vm, struct vm_record *record, const struct engine **out, struct error **err)
{
        for (const struct engine *const *engine = vm_engines(); *engine; engine++) {
                int there = (*engine)->remains ? (*engine)->remains(vm, record, err) : 0;

                if (there > 0)
                        *out = *engine;
                if (there != 0)
                        return there;
        }
        return 0;
}

static int imagine(struct vm *vm, const char *damage, struct error **err)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        const struct engine *engine = vm_engines()[0];
        int has_disk;

        if (find_project(vm->name, &project, err) < 0)
                return -1;
        describe_record(&record, &project, vm->name, engine->name);
        set_string(&record.created, made_when(vm->folder));
        has_disk = find_disk(vm, &record, &engine, err);
        if (has_disk < 0)
                return error_wrap(err, "cannot tell whether VM '%s' has a disk", vm->name);
        set_string(&record.engine, xstrdup(engine->name));
        /* `up` begins again where there is no disk, and never otherwise. */
        record.intent = has_disk ? INTENT_SETUP : INTENT_CREATE;
        vm_imagine(vm, &record, damage);
        return 0;
}

int repair_open(struct front *front, const char *name, struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *damage = NULL;
        int opened = vm_open_damaged(vm, name, &damage, err);

        if (opened <= 0)
                return opened;
        if (imagine(vm, damage, err) < 0)
                return error_hint_else(err, "machine doctor");
        event_warning(front->events, "VM '%s' is known only by its disk: %s", name, damage);
        return 0;
}

/* --- putting it in order */

/* Gives us back the right to use what is ours in the VM's folder. */
static void open_up(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        struct stat status;

        if (lstat(folder, &status) < 0 || status.st_uid != geteuid())
                return;
        if ((status.st_mode & 0700) != 0700)
                chmod(folder, (status.st_mode & 0777) | 0700);
        if (file_list(folder, &names, NULL) < 0)
                return;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);

                if (lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
                    (status.st_mode & 0600) != 0600)
                        chmod(path, (status.st_mode & 0777) | 0600);
        }
}

static int repair_vm(struct front *front, const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(freep) char *damage = NULL;
        int opened = vm_open_damaged(&vm, name, &damage, err);

        if (opened > 0) {
                open_up(vm.folder);
                set_string(&damage, NULL);
                opened = vm_open_damaged(&vm, name, &damage, err);
        }
        if (opened < 0 || (opened > 0 && imagine(&vm, damage, err) < 0))
                return -1;
        /* The lock restores what has a copy. */
        if ((opened > 0 || vm.damage) && vm_lock(&vm, front->events, err) < 0)
                return -1;
        if (opened == 0 || !vm.imagined)
                return 0;
        if (vm_save(&vm, err) < 0)
                return -1;
        event_note(front->events, "VM '%s' has a new record, made from what its disk and the configuration say: %s", name,
                   damage);
        return 0;
}

void repair_vms(struct front *front)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (vm_list(&names, &error) < 0) {
                _cleanup_(freep) char *text = error_text(error);

                event_warning(front->events, "%s", text);
        }
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(error_freep) struct error *reason = NULL;
                _cleanup_(freep) char *text = NULL;

                if (repair_vm(front, names.items[i], &reason) == 0)
                        continue;
                text = error_text(reason);
                event_warning(front->events, "VM '%s' can't be repaired: %s%s%s", names.items[i], text,
                              reason->hint ? ": " : "", reason->hint ? reason->hint : "");
        }
}
