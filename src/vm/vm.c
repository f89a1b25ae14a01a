#include "vm/vm.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"

/* Longer than the longest work that is done under the lock: waiting for somebody else's layer (image/layer.c), then making one
 * in software emulation. */
#define LOCK_TIMEOUT_MS (8 * 60 * 60 * 1000)

static const struct engine *const no_engines[] = { NULL };
static const struct engine *const *all_engines = no_engines;

void vm_set_engines(const struct engine *const *engines)
{
        all_engines = engines;
}

const struct engine *const *vm_engines(void)
{
        return all_engines;
}

const struct engine *vm_whole_engine(void)
{
        const struct engine *const *engine = all_engines;

        while (*engine && ((*engine)->weaker || !(*engine)->change_rules))
                engine++;
        return *engine;
}

const struct engine *vm_find_engine(const char *name)
{
        for (const struct engine *const *engine = all_engines; *engine; engine++)
                if (streq((*engine)->name, name))
                        return *engine;
        return NULL;
}

char *vm_alias(const char *name)
{
        return xasprintf("machine-%s", name);
}

void vm_clear(struct vm *vm)
{
        lock_release(&vm->lock);
        vm_record_clear(&vm->record);
        free(vm->name);
        free(vm->folder);
        free(vm->damage);
        *vm = (struct vm)VM_INIT;
}

/* Is there anything in the folder? What a killed process left of a file that it wrote begins with a dot. */
static bool has_remains(const char *folder)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_list(folder, &names, &error) < 0)
                return error->kind != ERROR_NOT_FOUND;
        for (size_t i = 0; i < names.count; i++)
                if (*names.items[i] != '.')
                        return true;
        return false;
}

/* The record belongs to this VM, and to an engine that this program has. */
static int check_record(const struct vm *vm, const struct vm_record *record, struct error **err)
{
        if (!streq(record->name, vm->name) && !streq_ptr(record->becomes, vm->name)) {
                _cleanup_(freep) char *vms = path_folder(vm->folder);
                _cleanup_(freep) char *other = path_join(vms, record->name);
                _cleanup_(freep) char *from = text_shell_path(vm->folder);
                _cleanup_(freep) char *to = text_shell_path(other);

                error_set(err, ERROR_ENGINE, "the record in '%s' belongs to another VM, '%s'", vm->folder, record->name);
                return file_exists(other) ? -1 : error_hint(err, "mv -- %s %s", from, to);
        }
        if (!vm_find_engine(record->engine)) {
                _cleanup_(freep) char *shown = text_visible_dup(record->engine);

                error_set(err, ERROR_ENGINE, "VM '%s' was made with engine '%s', which this program doesn't have", vm->name,
                          shown);
                return error_hint(err, "use a build of machine that has that engine");
        }
        return 0;
}

/* The folder's name counts. A record that was about to get it says which name the VM had. */
static void settle_name(struct vm_record *record, const char *name)
{
        if (!streq(record->name, name)) {
                set_string(&record->former, record->name);
                record->name = xstrdup(name);
        }
        set_string(&record->becomes, NULL);
}

static void take_record(struct vm *vm, struct vm_record *record)
{
        vm_record_clear(&vm->record);
        vm->record = *record;
        *record = (struct vm_record)VM_RECORD_INIT;
        settle_name(&vm->record, vm->name);
        vm->engine = vm_find_engine(vm->record.engine);
        vm->imagined = false;
        vm->exists = true;
}

/* Uses the copy of a record that can't be read for `reason`. The copy may be older by one change. */
static int read_copy(struct vm *vm, const struct error *reason)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm_record_read_copy(vm->folder, &record, NULL) < 0 || check_record(vm, &record, NULL) < 0)
                return -1;
        take_record(vm, &record);
        set_string(&vm->damage, error_text(reason));
        /* A VM that is being made may lose its disk. One that has a disk may be further than the copy says. */
        if (vm->record.intent == INTENT_CREATE && (vm->engine->inspect(vm, &status, NULL) < 0 || status.state != VM_ABSENT))
                vm->record.intent = INTENT_SETUP;
        return 0;
}

/* A file that only has the wrong mode or owner has the hint that changes that. */
static int give_damage(const struct vm *vm, struct error *error, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, VM_RECORD_FILE);
        bool missing = error->kind == ERROR_NOT_FOUND;

        error_give(err, error);
        if (missing) {
                error_set_kind(err, ERROR_FAILED);
                error_wrap(err, "VM '%s' has no record, but '%s' is not empty", vm->name, vm->folder);
        } else {
                error_wrap(err, "cannot read the record of VM '%s'", vm->name);
        }
        if (!err || (*err)->kind == ERROR_ENGINE || ((*err)->hint && !file_is_folder(path)))
                return -1;
        return error_hint(err, "machine doctor --repair");
}

/* Reads the record in vm->folder into `vm`, or finds that there is none. */
static int read_record(struct vm *vm, struct error **err)
{
        _cleanup_(vm_record_clear) struct vm_record record = VM_RECORD_INIT;
        struct error *error = NULL;

        set_string(&vm->damage, NULL);
        if (vm_record_read(vm->folder, &record, &error) == 0) {
                if (check_record(vm, &record, err) < 0)
                        return -1;
                take_record(vm, &record);
                return 0;
        }
        if (error->kind != ERROR_ENGINE && read_copy(vm, error) == 0) {
                error_free(error);
                return 0;
        }
        if (error->kind != ERROR_NOT_FOUND || has_remains(vm->folder))
                return give_damage(vm, error, err);
        error_free(error);
        vm->exists = false;
        vm->engine = NULL;
        vm_record_clear(&vm->record);
        return 0;
}

static char *vm_folder(const char *name)
{
        _cleanup_(freep) char *vms = paths_state("vms");

        return path_join(vms, name);
}

int vm_open(struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm opened = VM_INIT;

        if (!text_name_valid(name)) {
                _cleanup_(freep) char *shown = text_visible_dup(name);

                return error_set(err, ERROR_USAGE, "'%s' is not a valid VM name", shown);
        }
        opened.name = xstrdup(name);
        opened.folder = vm_folder(name);
        if (read_record(&opened, err) < 0)
                return -1;
        vm_clear(vm);
        *vm = opened;
        opened = (struct vm)VM_INIT;
        return 0;
}

int vm_open_damaged(struct vm *vm, const char *name, char **damage, struct error **err)
{
        _cleanup_(vm_clear) struct vm opened = VM_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        *damage = NULL;
        if (vm_open(&opened, name, &error) == 0) {
                vm_clear(vm);
                *vm = opened;
                opened = (struct vm)VM_INIT;
                return 0;
        }
        if (error->kind == ERROR_ENGINE || error->kind == ERROR_USAGE)
                return error_give(err, TAKE_PTR(error));
        vm_clear(vm);
        vm->name = xstrdup(name);
        vm->folder = vm_folder(name);
        *damage = error_text(error);
        return 1;
}

void vm_imagine(struct vm *vm, struct vm_record *record, const char *damage)
{
        take_record(vm, record);
        set_string(&vm->damage, xstrdup(damage));
        vm->imagined = true;
}

int vm_open_existing(struct vm *vm, const char *name, struct error **err)
{
        _cleanup_(vm_clear) struct vm opened = VM_INIT;

        if (vm_open(&opened, name, err) < 0)
                return -1;
        if (!opened.exists) {
                error_set(err, ERROR_NOT_FOUND, "no VM '%s'", name);
                return error_hint(err, "machine up %s", name);
        }
        vm_clear(vm);
        *vm = opened;
        opened = (struct vm)VM_INIT;
        return 0;
}

static int need_lock(const struct vm *vm, struct error **err)
{
        return vm->lock.fd >= 0 ? 0 : error_set(err, ERROR_FAILED, "cannot change VM '%s' without its lock", vm->name);
}

/* A record that can't be read is not overwritten: it may say more to somebody who looks at it. */
static int keep_damaged(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, VM_RECORD_FILE);

        return vm->damage && file_exists(path) ? file_set_aside(path, NULL, err) : 0;
}

int vm_save(struct vm *vm, struct error **err)
{
        if (need_lock(vm, err) < 0 || file_make_private_folder(vm->folder, err) < 0 || keep_damaged(vm, err) < 0 ||
            vm_record_write(vm->folder, &vm->record, err) < 0)
                return -1;
        set_string(&vm->damage, NULL);
        vm->imagined = false;
        vm->exists = true;
        return 0;
}

/* Writes the record anew, which was read from its copy. What is damaged is kept. */
static int restore_record(struct vm *vm, struct event_sink *events, struct error **err)
{
        event_note(events, "the record of VM '%s' is restored from its copy: %s", vm->name, vm->damage);
        return vm_save(vm, err);
}

/* Owned by the caller. */
static char *lock_path(const struct vm *vm)
{
        return xasprintf("%s.lock", vm->folder);
}

/* The lock is held: takes it over, with the record as it is now. */
static int take_lock(struct vm *vm, struct lock *lock, struct event_sink *events, struct error **err)
{
        /* An imagined record stays unless another process has made a new one since. */
        if ((!vm->imagined || vm_record_check(vm->folder)) && read_record(vm, err) < 0)
                return -1;
        vm->lock.fd = TAKE_FD(lock->fd);
        return vm->damage && !vm->imagined ? restore_record(vm, events, err) : 0;
}

int vm_try_lock(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *path = lock_path(vm);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        int got = lock_try(&lock, path, LOCK_EXCLUSIVE, err);

        if (got <= 0)
                return got;
        return take_lock(vm, &lock, events, err) < 0 ? -1 : 1;
}

int vm_lock(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *path = lock_path(vm);
        _cleanup_(freep) char *vms = path_folder(vm->folder);
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *note = NULL;

        if (vm->lock.fd >= 0)
                return 0;
        if (file_make_private_folder(vms, err) < 0)
                return -1;
        note = xasprintf("VM '%s' is busy: another 'machine' command is running; waiting for it to end", vm->name);
        if (lock_await(&lock, path, LOCK_EXCLUSIVE, LOCK_TIMEOUT_MS, events, note, err) < 0)
                return error_wrap(err, "cannot work on VM '%s'", vm->name);
        return take_lock(vm, &lock, events, err);
}

int vm_intend(struct vm *vm, enum vm_intent intent, struct error **err)
{
        enum vm_intent before = vm->record.intent;

        vm->record.intent = intent;
        if (vm_save(vm, err) == 0)
                return 0;
        vm->record.intent = before;
        return -1;
}

static int inspect_failed(const struct vm *vm, struct error **err)
{
        return error_wrap(err, "cannot find out the state of VM '%s'", vm->name);
}

int vm_inspect(const struct vm *vm, struct vm_status *out, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        if (vm->exists && vm->engine->inspect(vm, &status, err) < 0)
                return inspect_failed(vm, err);
        vm_status_clear(out);
        *out = status;
        status = (struct vm_status)VM_STATUS_INIT;
        return 0;
}

static void inspect_of(const struct engine *engine, struct vm_inspection *items, size_t count)
{
        _cleanup_(freep) struct vm_inspection **ours = xcalloc(count + 1, sizeof(struct vm_inspection *));
        size_t many = 0;

        for (size_t i = 0; i < count; i++)
                if (items[i].vm->exists && items[i].vm->engine == engine)
                        ours[many++] = &items[i];
        if (many > 0)
                engine->inspect_many(ours, many);
        for (size_t i = 0; i < many; i++)
                if (ours[i]->error)
                        inspect_failed(ours[i]->vm, &ours[i]->error);
}

void vm_inspect_many(struct vm_inspection *items, size_t count)
{
        for (const struct engine *const *engine = all_engines; *engine; engine++)
                if ((*engine)->inspect_many)
                        inspect_of(*engine, items, count);
        for (size_t i = 0; i < count; i++)
                if (!items[i].vm->exists || !items[i].vm->engine->inspect_many)
                        vm_inspect(items[i].vm, &items[i].status, &items[i].error);
}

int vm_resume(const struct vm *vm, struct error **err)
{
        return vm->engine && vm->engine->resume ? vm->engine->resume(vm, err) : 0;
}

int vm_refuse_state(const struct vm *vm, const struct vm_status *status, struct error **err)
{
        _cleanup_(freep) char *text = vm_status_text(status);

        error_set(err, ERROR_ENGINE, "VM '%s' is %s", vm->name, text);
        return status->hint ? error_hint(err, "%s", status->hint) : -1;
}

int vm_change_rules(const struct vm *vm, struct error **err)
{
        return vm->engine->change_rules ? vm->engine->change_rules(vm, err) : 0;
}

int vm_find_lost(const struct vm *vm, struct engine_lost *out, struct error **err)
{
        *out = (struct engine_lost){ 0 };
        if (!vm->engine->lost || vm->engine->lost(vm, out, err) == 0)
                return 0;
        return error_wrap(err, "cannot find out whether VM '%s' has all that it needs", vm->name);
}

void vm_settle_clock(const struct vm *vm, struct event_sink *events)
{
        if (vm->engine->settle_clock)
                vm->engine->settle_clock(vm, events);
}

bool vm_runs(const struct vm *vm)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        return vm_inspect(vm, &status, NULL) == 0 && vm_state_is_alive(status.state);
}

bool vm_is_busy(const struct vm *vm)
{
        _cleanup_(freep) char *path = lock_path(vm);

        return vm->lock.fd < 0 && lock_is_held(path, NULL) > 0;
}

bool vm_is_being_made(const struct vm *vm)
{
        return vm->exists && (vm->record.intent == INTENT_CREATE || vm->record.intent == INTENT_SETUP) && vm_is_busy(vm);
}

/* The record goes last: if we are killed on the way, it still says that the VM is being removed. */
int vm_forget(struct vm *vm, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (need_lock(vm, err) < 0)
                return -1;
        if (file_exists(vm->folder) && file_list(vm->folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(vm->folder, names.items[i]);

                if (!streq(names.items[i], VM_RECORD_FILE) && file_remove(path, err) < 0)
                        return -1;
        }
        if (file_remove(vm->folder, err) < 0)
                return -1;
        vm_record_clear(&vm->record);
        vm->engine = NULL;
        vm->exists = false;
        return 0;
}

/* --- another name */

/* `vm` takes over the place's name, folder and lock. */
static void move_to(struct vm *vm, struct vm *place)
{
        lock_release(&vm->lock);
        vm->lock = place->lock;
        place->lock = (struct lock)LOCK_INIT;
        set_string(&vm->name, xstrdup(place->name));
        set_string(&vm->folder, xstrdup(place->folder));
        settle_name(&vm->record, vm->name);
}

int vm_rename(struct vm *vm, struct vm *place, struct error **err)
{
        if (need_lock(vm, err) < 0 || need_lock(place, err) < 0)
                return -1;
        set_string(&vm->record.becomes, xstrdup(place->name));
        /* What a killed process left there is no VM. */
        if (vm_save(vm, err) < 0 || file_remove(place->folder, err) < 0 || file_rename(vm->folder, place->folder, err) < 0)
                return -1;
        move_to(vm, place);
        return vm_save(vm, err);
}

int vm_hint_aside(const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *aside = file_aside_command(vm->folder);

        return error_hint(err, "%s, then: machine up %s", aside, vm->name);
}

int vm_list(struct strv *names, struct error **err)
{
        _cleanup_(freep) char *vms = paths_state("vms");
        _cleanup_(strv_clear) struct strv entries = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_list(vms, &entries, &error) < 0) {
                if (error->kind == ERROR_NOT_FOUND)
                        return 0;
                if (err)
                        *err = TAKE_PTR(error);
                return -1;
        }
        for (size_t i = 0; i < entries.count; i++) {
                _cleanup_(freep) char *folder = path_join(vms, entries.items[i]);

                if (text_name_valid(entries.items[i]) && has_remains(folder))
                        strv_add(names, entries.items[i]);
        }
        return 0;
}
