/* Makes layers that somebody else fills: boots a throwaway VM from the layer below, has it filled, and takes its disk. */
#include <sys/stat.h>
#include <time.h>

#include "image/stock.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/text.h"
#include "qemu/boot.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/qemu.h"
#include "qemu/scratch.h"

#define KIND STOCK_RECIPE

struct filling {
        const struct engine_filling *wanted;
        const struct layer *parent;
        struct engine_filled filled;
};

/* Goes on with the disk that a killed build left, if it is whole. */
static int make_disk(const char *path, const struct layer *parent, const struct toolkit *toolkit, struct error **err)
{
        if (file_exists(path) && chmod(path, 0600) == 0 && disk_check(path, parent, STOCK_RECIPE_BYTES, toolkit, NULL) == 0)
                return 0;
        return disk_make_beside(path, parent, STOCK_RECIPE_BYTES, err);
}

static int boot(struct launch *launch, struct qmp **qmp, struct event_sink *events, struct error **err)
{
        if (launch_start(launch, &(struct launch_memory){ 0 }, err) == 0 && launch_qmp(launch, qmp, err) == 0 &&
            boot_wait(launch->runtime, *qmp, boot_quiet_ms(launch->acceleration.kvm), events, err) == 0)
                return 0;
        launch_explain(launch, err);
        return error_wrap(err, "cannot boot the VM to fill");
}

static int write_manifest(const struct filling *filling, const struct vm *vm, struct error **err)
{
        _cleanup_(freep) char *path = path_join(vm->folder, "manifest.json");
        _cleanup_(freep) char *created = text_format_time(time(NULL));
        int64_t bytes = filling->parent->disk_bytes > STOCK_RECIPE_BYTES ? filling->parent->disk_bytes : STOCK_RECIPE_BYTES;
        _cleanup_(json_decrefp) json_t *manifest =
                json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}", "kind", KIND, "engine", "qemu", "key",
                          filling->filled.key, "parent", filling->parent->key, "about", filling->wanted->about, "user",
                          vm->record.user, "disk_bytes", (json_int_t)bytes, "created", created);

        stock_note_lacks(&filling->filled, manifest);
        return json_write(path, manifest, 0444, err);
}

/* Brings what the VM has done so far onto its disk, also when it was Ctrl-C that ended the filling. */
static void keep_progress(const struct launch *launch, struct qmp *qmp, struct error **err)
{
        interrupt_hold();
        if (vm_resume(launch->vm, NULL) < 0)
                error_hint(err, "make room there, and try again: what was done so far is kept");
        scratch_run(launch, "pause", "", NULL);
        scratch_quit(launch, qmp, NULL);
        interrupt_go_on();
}

/* When a step fails, fill() has kept its log. */
static int run(struct launch *launch, struct filling *filling, struct event_sink *events, struct error **err)
{
        const struct engine_filling *wanted = filling->wanted;
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        if (boot(launch, &qmp, events, err) < 0) {
                scratch_keep_console(launch->runtime, KIND, wanted->key, err);
                return -1;
        }
        if (wanted->fill(launch->vm, wanted->data, events, &filling->filled, err) < 0) {
                keep_progress(launch, qmp, err);
                return -1;
        }
        event_line(events, "saving");
        if (scratch_run(launch, "settle", "", err) < 0 || scratch_quit(launch, qmp, err) < 0)
                return error_wrap(err, "cannot finish the layer of '%s'", wanted->about);
        return 0;
}

static int build(void *data, const char *folder, const struct lock *lock _unused_, struct event_sink *events,
                 struct error **err)
{
        struct filling *filling = data;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(&vm, &runtime);

        if (throwaway_invent(KIND, filling->wanted->key, folder, filling->wanted->record, &vm, err) < 0)
                return -1;
        launch.ends_with_us = true;
        vm.engine = &qemu_engine; /* so that its sessions notice when it is paused */
        if (runtime_find(&vm, &runtime, err) < 0 || launch_prepare(&launch, filling->parent, NULL, err) < 0 ||
            make_disk(runtime.disk, filling->parent, &launch.toolkit, err) < 0 ||
            throwaway_ssh_config(&vm, runtime.ssh, 0, err) < 0)
                return -1;
        if (run(&launch, filling, events, err) < 0 ||
            disk_inspect_beside(runtime.disk, filling->parent, STOCK_RECIPE_BYTES, err) < 0 ||
            layer_seal(runtime.disk, err) < 0)
                return -1;
        return write_manifest(filling, &vm, err);
}

static const char *became(void *data)
{
        return ((struct filling *)data)->filled.key;
}

static int tidy(const char *folder, struct error **err)
{
        return throwaway_tidy(KIND, folder, (const char *const[]){ LAYER_DISK, "manifest.json", NULL }, err);
}

int engine_fill_layer(const struct engine_filling *wanted, struct event_sink *events, char **key, struct error **err)
{
        static const struct layer_builder how = { .build = build, .became = became, .tidy = tidy };
        _cleanup_(layer_clear) struct layer parent = LAYER_INIT;
        struct filling filling = { .wanted = wanted, .parent = &parent, .filled = ENGINE_FILLED_INIT };
        int status;

        if (layer_open_mended(wanted->parent, events, &parent, err) < 0)
                return -1;
        status = stock_fill(wanted, &how, &filling, events, key, err);
        engine_filled_clear(&filling.filled);
        return status;
}
