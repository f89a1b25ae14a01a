#include <sys/stat.h>

#include "lib/file.h"
#include "lib/text.h"
#include "lima/definition.h"
#include "lima/engine.h"
#include "lima/home.h"
#include "lima/image.h"
#include "lima/limactl.h"
#include "lima/look.h"
#include "lima/system.h"
#include "vm/identity.h"

#define CREATE_TIMEOUT_MS (60 * 60 * 1000) /* with the download of an image */
#define DELETE_TIMEOUT_MS (2 * 60 * 1000)

static int refuse_alive(const struct vm *vm, const struct look *look, struct error **err)
{
        if (look->state != LOOK_RUNNING && look->state != LOOK_HALF)
                return 0;
        error_set(err, ERROR_ENGINE, "VM '%s' is running", vm->name);
        return error_hint(err, "machine down %s", vm->name);
}

/* Runs `limactl delete`, which needs a definition that it can read. */
static int delete_instance(const struct vm *vm, const struct look *look, struct error **err)
{
        _cleanup_(freep) char *instance = home_instance(vm->name);
        const char *const arguments[] = { "delete", instance, NULL };

        if (look->listing.is_protected) {
                _cleanup_(freep) char *folder = home_folder();
                _cleanup_(freep) char *home = text_shell_path(folder);

                error_set(err, ERROR_ENGINE, "the instance '%s' is protected against removal in Lima", instance);
                return error_hint(err, "LIMA_HOME=%s limactl unprotect %s", home, instance);
        }
        if (limactl_run(&(struct limactl_call){ .arguments = arguments, .timeout_ms = DELETE_TIMEOUT_MS }, NULL, err) < 0)
                return -1;
        return file_exists(look->folder) ? error_set(err, ERROR_ENGINE, "Lima left '%s' behind", look->folder) : 0;
}

/*
 * Removes what is there, if it is this VM's: its definition names the VM, or there is no disk and so nothing to lose. A disk
 * without a definition may go only when the VM is being destroyed.
 */
static int discard(const struct vm *vm, struct look *look, struct error **err)
{
        _cleanup_(freep) char *aside = NULL;
        bool destroying = vm->record.intent == INTENT_DESTROY;

        if (look->state == LOOK_NOTHING)
                return 0;
        aside = file_aside_command(look->folder);
        if (look->listing.config && !look_is_ours(look, vm)) {
                error_set(err, ERROR_ENGINE, "'%s' was made for another VM of this name", look->folder);
                return error_hint(err, "%s", aside);
        }
        if (!look->listing.config && look->state != LOOK_REMNANT && !destroying) {
                error_set(err, ERROR_ENGINE, "'%s' holds a disk, but nothing says which VM it belongs to", look->folder);
                return error_hint(err, "%s", aside);
        }
        /* Lima sees what runs only when it can read the definition. */
        if (!look->listing.config) {
                _cleanup_(freep) char *definition = look_definition_path(vm);

                if (!file_exists(definition) && look->state == LOOK_REMNANT)
                        return file_remove(look->folder, err);
        }
        if (look_mend(vm, look, err) < 0 || refuse_alive(vm, look, err) < 0)
                return -1;
        return delete_instance(vm, look, err);
}

static int write_definition(const struct vm *vm, const struct image *image, struct error **err)
{
        _cleanup_(freep) char *path = look_definition_path(vm);
        _cleanup_(freep) char *key = home_key(err);
        _cleanup_(identity_wipe) struct strbuf identity = STRBUF_INIT;
        _cleanup_(json_decrefp) json_t *definition = NULL;

        if (!key || identity_describe(vm, &identity, err) < 0)
                return -1;
        definition = definition_build(&(struct definition){
                .record = &vm->record,
                .driver = system_driver,
                .architecture = SYSTEM_ARCHITECTURE,
                .image = image,
                .identity = identity.buf,
                .lima_key = key,
        });
        return json_write(path, definition, 0600, err);
}

static int create_instance(const struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *path = look_definition_path(vm);
        _cleanup_(freep) char *instance = home_instance(vm->name);
        _cleanup_(freep) char *name = xasprintf("--name=%s", instance);
        const char *const arguments[] = { "create", name, "-", NULL };
        _cleanup_(look_clear) struct look look = LOOK_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (file_read(path, 1 << 20, &text, err) < 0 ||
            limactl_run(&(struct limactl_call){ .arguments = arguments,
                                                .input = text.buf,
                                                .timeout_ms = CREATE_TIMEOUT_MS,
                                                .events = events },
                        NULL, err) < 0 ||
            look_at(vm, &look, err) < 0)
                return -1;
        if (look.state != LOOK_STOPPED || !look_is_ours(&look, vm))
                return error_set(err, ERROR_ENGINE, "Lima says that it made '%s', but there is no such instance", instance);
        return definition_check(look.listing.config, err);
}

static int create(struct vm *vm, struct look *look, struct event_sink *events, struct error **err)
{
        _cleanup_(image_clear) struct image image = IMAGE_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (image_choose(&vm->record, events, &image, err) < 0)
                return -1;
        event_begin(events, "disk", "making the instance of VM '%s'", vm->name);
        if (home_prepare(&lock, err) < 0 || home_check(vm->name, err) < 0 || discard(vm, look, err) < 0 ||
            write_definition(vm, &image, err) < 0 || create_instance(vm, events, err) < 0) {
                event_end(events, "disk", EVENT_FAILED, NULL);
                error_wrap(err, "cannot make the instance of VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "disk", EVENT_DONE, NULL);
        set_string(&vm->record.base, xstrdup(image.key));
        return 0;
}

int lima_create(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0 || refuse_alive(vm, &look, err) < 0)
                return -1;
        /* A disk that may have been booted from is never replaced. */
        if (vm->record.intent != INTENT_CREATE && vm->record.base && file_exists(look.disk))
                return 0;
        return create(vm, &look, events, err);
}

int lima_remove(struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *definition = look_definition_path(vm);
        _cleanup_(freep) char *logs = path_join(vm->folder, "logs");
        _cleanup_(freep) char *ready = look_ready_path(vm);
        _cleanup_(look_clear) struct look look = LOOK_INIT;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;

        if (look_at(vm, &look, err) < 0 || refuse_alive(vm, &look, err) < 0)
                return -1;
        if ((look.state != LOOK_NOTHING && home_prepare(&lock, err) < 0) || discard(vm, &look, err) < 0 ||
            file_remove(definition, err) < 0 || file_remove(ready, err) < 0 || file_remove(logs, err) < 0) {
                error_wrap(err, "cannot remove VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        return 0;
}
