#include <unistd.h>

#include "host/acceleration.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/lock.h"
#include "lib/os.h"
#include "lib/text.h"
#include "lima/limactl.h"
#include "lima/system.h"
#include "vm/network.h"
#include "vm/rules.h"

const struct system_tool system_tools[] = {
#ifdef __aarch64__
        { "qemu-system-aarch64", "sudo apt-get install qemu-system-arm" },
#else
        { "qemu-system-x86_64", "sudo apt-get install qemu-system-x86" },
#endif
        { "qemu-img", "sudo apt-get install qemu-utils" },
        { "mmdebstrap", "sudo apt-get install mmdebstrap" },
        { "ssh", "sudo apt-get install openssh-client" },
        { NULL, NULL },
};

const char system_driver[] = "qemu";

const struct system_image system_image = { NULL, NULL };

void system_find_acceleration(struct engine_probe *out)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;

        acceleration_find(&acceleration);
        out->acceleration = xstrdup(acceleration.kvm ? "kvm" : "tcg");
        out->note = TAKE_PTR(acceleration.note);
        out->hint = TAKE_PTR(acceleration.hint);
}

const struct weaker_line system_weaker[] = {
        { "ssh-port", "the guest's sshd has a port on 127.0.0.1, which other users of this computer can connect to", false },
        { "confinement", "the process that runs the guest has the same network and files as any program of yours", false },
        { "shared-key", "one key of Lima, which is only on this computer, opens all its VMs", false },
        { NULL, NULL, false },
};

#ifdef __aarch64__
#define QEMU_VARIABLE "QEMU_SYSTEM_AARCH64"
#else
#define QEMU_VARIABLE "QEMU_SYSTEM_X86_64"
#endif

/* How machine-shim gives QEMU its network. */
#define OUR_NETWORK "stream,id=net0,server=off,addr.type=fd"

/*
 * QEMU's command line for Lima: what somebody set by hand; else, when there is a device that can't be used, one that emulates,
 * because Lima would choose KVM and QEMU would end. Owned by the caller.
 */
static char *command_line(void)
{
        _cleanup_(acceleration_clear) struct acceleration acceleration = ACCELERATION_INIT;
        const char *set = getenv(QEMU_VARIABLE);

        if (set && *set)
                return xstrdup(set);
        acceleration_find(&acceleration);
        if (acceleration.kvm || access("/dev/kvm", F_OK) < 0)
                return xstrdup(system_tools[0].program);
        return limactl_emulation(SYSTEM_ARCHITECTURE);
}

int system_prepare_boot(const struct vm *vm, struct strv *environment, struct error **err)
{
        _cleanup_(freep) char *shim = paths_helper("machine-shim", err);
        _cleanup_(freep) char *logs = path_join(vm->folder, "logs");
        _cleanup_(freep) char *rules = rules_path(vm);
        _cleanup_(freep) char *account = rules_account_path(vm);
        _cleanup_(freep) char *line = command_line();
        _cleanup_(freep) char *program = NULL;
        _cleanup_(freep) char *replaced = NULL;

        if (!shim || file_make_folders(logs, 0700, err) < 0)
                return -1;
        replaced = limactl_replace_program(line, shim, &program);
        if (!replaced) {
                error_set(err, ERROR_ENGINE, QEMU_VARIABLE " or '%s' has characters that can't be passed to Lima", shim);
                return error_hint(err, "unset " QEMU_VARIABLE);
        }
        strv_addf(environment, QEMU_VARIABLE "=%s", replaced);
        strv_addf(environment, "MACHINE_SHIM_QEMU=%s", program);
        strv_addf(environment, "MACHINE_SHIM_LOG=%s/net.log", logs);
        strv_addf(environment, "MACHINE_SHIM_HOSTNAME=%s", vm->record.name);
        strv_addf(environment, "MACHINE_SHIM_LAN=%d", vm->record.lan ? 1 : 0);
        if (file_exists(rules)) {
                strv_addf(environment, "MACHINE_SHIM_RULES=%s", rules);
                strv_addf(environment, "MACHINE_SHIM_ACCOUNT=%s", account);
        }
        return 0;
}

int system_choose_port(uint16_t *port, struct error **err _unused_)
{
        *port = 0;
        return 0;
}

/* Nothing to do: machine-shim takes the place of Lima's user network. */
int system_confine(const struct vm *vm _unused_, uint16_t ssh_port _unused_, struct strv *argv _unused_,
                   struct error **err _unused_)
{
        return 0;
}

int system_lost(const struct vm *vm, struct engine_lost *out, struct error **err)
{
        _cleanup_(freep) char *log = path_join(vm->folder, "logs/net.log");
        int held = lock_is_held(log, err);

        if (held < 0)
                return -1;
        *out = (struct engine_lost){ .later = held ? NULL : "its network" };
        return 0;
}

int system_refused(const struct vm *vm, const char *address, uint16_t port, char **reason, struct error **err)
{
        _cleanup_(freep) char *log = path_join(vm->folder, "logs/net.log");

        return network_refused(log, address, port, reason, err);
}

/* The supervisor and the worker are recognised by the log that they write, which belongs to this VM alone. */
int system_add_processes(const struct vm *vm, struct engine_processes *out, struct error **err)
{
        _cleanup_(freep) char *log = xasprintf("--log=%s/logs/net.log", vm->folder);
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        size_t before = out->count;

        if (file_list("/proc", &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count && out->count < ENGINE_PROCESSES_MOST; i++) {
                int64_t pid;

                if (text_parse_int(names.items[i], 1, INT32_MAX, &pid) == 0 && os_process_mentions((pid_t)pid, log) > 0)
                        out->items[out->count++] = (struct engine_process){ .pid = (pid_t)pid, .role = "machine-net" };
        }
        if (out->count == before)
                return error_set(err, ERROR_ENGINE, "cannot find the network process of VM '%s'", vm->name);
        return 0;
}

int system_check_guest(const struct vm *vm, pid_t pid, struct error **err)
{
        int ours = os_process_mentions(pid, OUR_NETWORK);

        if (ours < 0)
                return error_errno(err, ERROR_ENGINE, "cannot look at process %d", (int)pid);
        if (ours)
                return 0;
        error_set(err, ERROR_ENGINE, "VM '%s' runs with Lima's own network, which reaches this computer", vm->name);
        return error_hint(err, "machine restart %s", vm->name);
}
