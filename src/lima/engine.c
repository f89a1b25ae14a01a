#include "lima/engine.h"

#include <errno.h>
#include <sys/stat.h>

#include "image/need.h"
#include "image/stock.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/unix-socket.h"
#include "lima/guest.h"
#include "lima/home.h"
#include "lima/lima.h"
#include "lima/limactl.h"
#include "lima/look.h"
#include "lima/system.h"
#include "vm/account.h"
#include "vm/monitor.h"
#include "vm/rules.h"

#define MAJOR_LEAST        2
#define CONNECT_TIMEOUT_MS 5000
#define VERSION_TIMEOUT_MS 10000
#define ANSWER_MS          5000

/* Looks for what Lima and the base image need besides. */
static bool find_tools(struct engine_probe *out)
{
        for (const struct system_tool *tool = system_tools; tool->program; tool++) {
                _cleanup_(freep) char *found = process_find(tool->program);

                if (found)
                        continue;
                out->usable = false;
                out->note = xasprintf("'%s' is not installed", tool->program);
                out->hint = xstrdup(tool->hint);
                return false;
        }
        return true;
}

/* When root runs Lima, it ends before it reads any option. */
static void ask_version(struct engine_probe *out)
{
        static const char *const arguments[] = { "--version", NULL };
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *version = NULL;
        int major = 0;

        if (limactl_run(&(struct limactl_call){ .arguments = arguments, .timeout_ms = VERSION_TIMEOUT_MS }, &text, &error) <
            0) {
                out->note = xstrdup(error->message);
                out->hint = xstrdup(strstr(error->message, "root") ? "run machine as a plain user" : error->hint);
                return;
        }
        version = limactl_parse_version(text.buf, &major);
        if (!version) {
                out->note = xstrdup("'limactl' does not say its version");
                return;
        }
        out->version = xasprintf("Lima %s", version);
        out->usable = major >= MAJOR_LEAST;
        if (!out->usable) {
                out->note = xasprintf("Lima %s is too old, %d.0 or later is needed", version, MAJOR_LEAST);
                out->hint = xstrdup("install a newer Lima");
        }
}

static int probe(struct engine_probe *out, struct error **err)
{
        _cleanup_(engine_probe_clear) struct engine_probe found = ENGINE_PROBE_INIT;

        ask_version(&found);
        if (found.usable && find_tools(&found))
                system_find_acceleration(&found);
        engine_probe_clear(out);
        *out = found;
        found = (struct engine_probe)ENGINE_PROBE_INIT;
        return 0;
}

/* Lima's QEMU has a socket for such questions in the instance's folder. A guest that Apple's framework runs has none. */
static int connect_qemu(const char *folder)
{
        _cleanup_(freep) char *path = path_join(folder, "qmp.sock");

        return unix_socket_connect(path);
}

/* Asks QEMU what the guest of a VM that is alive does. `run` may be NULL, or becomes QEMU's own word for it, owned by the
 * caller. */
static void ask_qemu(const char *name, const char *folder, char **run, struct vm_status *out)
{
        _cleanup_(monitor_status_clear) struct monitor_status says = { 0 };
        _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
        _cleanup_(freep) char *disk = path_join(folder, "disk");
        int fd = connect_qemu(folder);
        bool busy = fd < 0 && errno == EAGAIN;
        pid_t qemu = 0;
        uid_t user;
        int heard = -1;

        out->state = VM_RUNNING;
        if (fd >= 0) {
                if (os_peer_pid(fd, &qemu, &user) < 0)
                        qemu = 0;
                monitor_ask(&monitor, fd);
                heard = monitor_hear(&monitor, deadline_in(ANSWER_MS), &says);
        }
        if (heard > 0)
                monitor_judge(&says, name, disk, out);
        else if (heard == 0 || busy)
                monitor_judge_silence(name, qemu, out);
        if (run)
                set_string(run, TAKE_PTR(says.run));
}

static int inspect_listed(const struct vm *vm, const struct strbuf *list, struct vm_status *out, struct error **err)
{
        struct vm_status status = VM_STATUS_INIT;
        _cleanup_(look_clear) struct look look = LOOK_INIT;
        struct stat disk;

        if (look_at_listed(vm, list, &look, err) < 0)
                return -1;
        switch (look.state) {
        case LOOK_NOTHING:
        case LOOK_REMNANT:
                break;
        case LOOK_STOPPED:
                status.state = VM_STOPPED;
                break;
        case LOOK_HALF: /* something is alive; `start` and `stop` put the rest right */
        case LOOK_RUNNING:
                ask_qemu(vm->name, look.folder, NULL, &status);
                status.memory_bytes = os_process_memory(look.listing.driver);
                break;
        case LOOK_UNREADABLE:
                status.state = VM_BROKEN;
                status.reason = xasprintf("Lima can't read '%s/lima.yaml'", look.folder);
                break;
        }
        if (look.disk && lstat(look.disk, &disk) == 0)
                status.disk_bytes = (int64_t)disk.st_blocks * 512;
        vm_status_clear(out);
        *out = status;
        return 0;
}

static int inspect(const struct vm *vm, struct vm_status *out, struct error **err)
{
        return inspect_listed(vm, NULL, out, err);
}

static void inspect_many(struct vm_inspection *const *items, size_t count)
{
        _cleanup_(strbuf_clear) struct strbuf list = STRBUF_INIT;

        look_list(items, count, &list);
        for (size_t i = 0; i < count; i++)
                (void)inspect_listed(items[i]->vm, &list, &items[i]->status, &items[i]->error);
}

/* machine-net, where it is the guest's network, reads the rules when it starts. */
static int start(struct vm *vm, struct event_sink *events, struct error **err)
{
        return rules_write(vm, err) < 0 ? -1 : lima_start(vm, events, err);
}

/* Looks at QEMU alone, without asking Lima: an open session does this every few seconds. */
static int resume(const struct vm *vm, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(monitor_clear) struct monitor monitor = MONITOR_INIT;
        _cleanup_(freep) char *folder = home_instance_folder(vm->name);
        _cleanup_(freep) char *run = NULL;
        int fd;

        ask_qemu(vm->name, folder, &run, &status);
        if (status.state == VM_PAUSED && status.waits) {
                fd = connect_qemu(folder);
                if (fd >= 0)
                        monitor_resume(&monitor, fd, run, deadline_in(ANSWER_MS));
                monitor_clear(&monitor);
                vm_status_clear(&status);
                ask_qemu(vm->name, folder, NULL, &status);
        }
        return status.state == VM_RUNNING ? 0 : vm_refuse_state(vm, &status, err);
}

static int connect_ssh(const struct vm *vm, int *fd, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0)
                return -1;
        if (look.state != LOOK_RUNNING || look.listing.ssh_port == 0) {
                error_set(err, ERROR_ENGINE, "VM '%s' is not running", vm->name);
                return error_hint(err, "machine up %s", vm->name);
        }
        if (guest_connect(look.listing.ssh_port, deadline_in(CONNECT_TIMEOUT_MS), fd, err) < 0) {
                error_wrap(err, "VM '%s' has no network", vm->name);
                return error_hint(err, "machine restart %s", vm->name);
        }
        return 0;
}

/* With Apple's framework driver and host agent are one process. */
static int processes(const struct vm *vm, struct engine_processes *out, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0)
                return -1;
        *out = (struct engine_processes){ 0 };
        if (look.listing.driver > 0)
                out->items[out->count++] =
                        (struct engine_process){ .pid = look.listing.driver, .role = "Lima's driver", .guest = true };
        if (look.listing.agent > 0 && look.listing.agent != look.listing.driver)
                out->items[out->count++] = (struct engine_process){ .pid = look.listing.agent, .role = "Lima's host agent" };
        return system_add_processes(vm, out, err);
}

static int layers(const char *user, struct engine_layers *out, struct error **err)
{
        return stock_list(user, NULL, out, err);
}

static int remove_layer(const char *key, bool memory_only, engine_in_use_fn in_use, void *data, struct error **err)
{
        return stock_remove(key, NULL, memory_only, in_use, data, err);
}

static char *folder(const struct vm *vm)
{
        return home_instance_folder(vm->name);
}

static const struct engine_log logs[] = {
        { "console", "serial.log" },
        { "agent", "ha.stderr.log" },
        { NULL, NULL },
};

const struct engine lima_engine = {
        .name = "lima",
        .logs = logs,
        .weaker = system_weaker,
        .takes_image = true,
        .probe = probe,
        .create = lima_create,
        .start = start,
        .stop = lima_stop,
        .kill = lima_kill,
        .remove = lima_remove,
        .inspect = inspect,
        .resume = resume,
        .inspect_many = inspect_many,
        .connect = connect_ssh,
        .folder = folder,
        .processes = processes,
        .remains = lima_remains,
        .change_rules = SYSTEM_HOLDS_RULES ? rules_change : NULL,
        .account = SYSTEM_HOLDS_RULES ? account_read_whole : NULL,
        .refused = system_refused,
        .lost = system_lost,
        .layers = layers,
        .base_layer = lima_base_layer,
        .stands_on = lima_stands_on,
        .has_layer = stock_has,
        .fill_layer = lima_fill_layer,
        .abandon = lima_abandon,
        .needs = need_layers,
        .check_layer = stock_check,
        .mend_layer = stock_mend,
        .remove_layer = remove_layer,
};
