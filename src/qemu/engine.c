#include "qemu/engine.h"

#include <fcntl.h>
#include <unistd.h>

#include "host/acceleration.h"
#include "image/need.h"
#include "image/stock.h"
#include "lib/process.h"
#include "qemu/arguments.h"
#include "qemu/clock.h"
#include "qemu/mend.h"
#include "qemu/qemu.h"
#include "qemu/restore.h"
#include "qemu/runtime.h"
#include "qemu/socket.h"
#include "qemu/toolkit.h"
#include "vm/account.h"
#include "vm/rules.h"

/* The first that has `-netdev stream` */
#define MAJOR_LEAST 7
#define MINOR_LEAST 2

static void judge_version(const struct toolkit *toolkit, struct engine_probe *out)
{
        int major;
        int minor;
        _cleanup_(freep) char *version = arguments_parse_version(toolkit->version, &major, &minor);

        out->version = xasprintf("QEMU %s", version);
        out->usable = major > MAJOR_LEAST || (major == MAJOR_LEAST && minor >= MINOR_LEAST);
        if (!out->usable) {
                out->note = xasprintf("QEMU %s is too old, %d.%d or later is needed", version, MAJOR_LEAST, MINOR_LEAST);
                out->hint = xstrdup("install a newer QEMU");
        }
}

static bool find_tools(struct engine_probe *out)
{
        static const struct {
                const char *program, *package;
        } tools[] = { { "qemu-img", "qemu-utils" }, { "mmdebstrap", "mmdebstrap" } };

        for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
                _cleanup_(freep) char *found = process_find(tools[i].program);

                if (found)
                        continue;
                out->usable = false;
                out->note = xasprintf("'%s' is not installed", tools[i].program);
                out->hint = xasprintf("sudo apt-get install %s", tools[i].package);
                return false;
        }
        return true;
}

static int probe(struct engine_probe *out, struct error **err)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        _cleanup_(engine_probe_clear) struct engine_probe found = ENGINE_PROBE_INIT;
        _cleanup_(error_freep) struct error *missing = NULL;
        _cleanup_(toolkit_clear) struct toolkit toolkit = TOOLKIT_INIT;
        _cleanup_(freep) char *program = toolkit_qemu(&missing);

        if (!program) {
                found.note = xstrdup(missing->message);
                found.hint = xstrdup(missing->hint);
        } else if (toolkit_find(&toolkit, err) < 0) {
                return -1;
        } else {
                judge_version(&toolkit, &found);
        }
        if (found.usable && find_tools(&found)) {
                acceleration_find(&acceleration);
                found.acceleration = xstrdup(acceleration.kvm ? "kvm" : "tcg");
                found.note = TAKE_PTR(acceleration.note);
                found.hint = TAKE_PTR(acceleration.hint);
        }
        engine_probe_clear(out);
        *out = found;
        found = (struct engine_probe)ENGINE_PROBE_INIT;
        return 0;
}

static int not_running(const struct vm *vm, struct error **err)
{
        error_set(err, ERROR_ENGINE, "VM '%s' is not running", vm->name);
        return error_hint(err, "machine up %s", vm->name);
}

/* Its guest has no identity yet, so nobody could recognise it. */
static int half_made(const struct vm *vm, struct error **err)
{
        error_set(err, ERROR_ENGINE, "VM '%s' is only half made", vm->name);
        return error_hint(err, "machine up %s", vm->name);
}

static int connect_ssh(const struct vm *vm, int *fd, struct error **err)
{
        _cleanup_(runtime_clear) struct runtime runtime = RUNTIME_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int connected = -1;
        int alive;

        if (runtime_find(vm, &runtime, err) < 0)
                return -1;
        alive = runtime_is_alive(&runtime, err);
        if (alive <= 0)
                return alive < 0 ? -1 : not_running(vm, err);
        if (restore_is_due(&runtime))
                return half_made(vm, err);
        if (socket_connect(runtime.ssh, deadline_in(5000), &connected, &reason) < 0) {
                error_set(err, ERROR_ENGINE, "VM '%s' has no network: %s", vm->name, reason->message);
                return error_hint(err, "machine up %s", vm->name);
        }
        if (fcntl(connected, F_SETFL, 0) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a connection blocking");
        *fd = TAKE_FD(connected);
        return 0;
}

static char *folder(const struct vm *vm)
{
        return xstrdup(vm->folder);
}

const struct engine qemu_engine = {
        .name = "qemu",
        .renames = true,
        .grows_disk = true,
        .probe = probe,
        .create = engine_create,
        .start = engine_start,
        .stop = engine_stop,
        .kill = engine_kill,
        .park = engine_park,
        .activity = engine_activity,
        .snapshot = engine_snapshot,
        .go_back = engine_go_back,
        .drop_snapshot = engine_drop_snapshot,
        .remove = engine_remove,
        .inspect = engine_inspect,
        .connect = connect_ssh,
        .folder = folder,
        .processes = engine_processes,
        .resume = engine_resume,
        .inspect_many = engine_inspect_many,
        .remains = engine_remains,
        .change_rules = rules_change,
        .account = account_read_whole,
        .refused = engine_refused,
        .lost = engine_lost,
        .settle_clock = engine_settle_clock,
        .layers = engine_layers,
        .base_layer = stock_base,
        .stands_on = stock_stands_on,
        .has_layer = stock_has,
        .fill_layer = engine_fill_layer,
        .bake = engine_bake,
        .baked = engine_baked,
        .needs = need_layers,
        .check_layer = stock_check,
        .mend_layer = stock_mend,
        .remove_layer = engine_remove_layer,
};
