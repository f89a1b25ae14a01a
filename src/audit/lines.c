#include "audit/lines.h"
#include "config/repo-url.h"

#include <sys/stat.h>
#include <unistd.h>

#include "audit/look.h"
#include "config/project.h"
#include "host/paths.h"
#include "host/walls.h"
#include "image/layer.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/text.h"

/* Where Linux guests of libslirp and of Lima find the host, whatever their routes say. */
#define GATEWAY "gateway" /* guest/session/audit.sh */
static const char *const host_aliases[] = { GATEWAY, "10.0.2.2", "192.168.5.2" };
/* Private addresses that nobody has, as far as we know. machine-net refuses them before any packet leaves. */
static const char *const private_addresses[] = { "10.255.255.254", "172.31.255.254", "192.168.255.254" };
/* For documentation (RFC 5737): no project wants them, so a refusal of them says nothing about what a project wanted. */
static const char *const public_addresses[] = { "198.51.100.7", "203.0.113.7" };
static const char *const metadata_addresses[] = { "169.254.169.254", "100.100.100.200" };
/* For documentation only (RFC 3849): a packet to it arrives nowhere. */
static const char ipv6_address[] = "2001:db8::1";

#define SSH_TIMEOUT_MS 30000

/* --- what is tried from inside */

static void add_target(struct strv *out, const char *address, uint16_t port)
{
        strv_add(out, address);
        strv_addf(out, "%u", port);
}

static bool has_rules(const struct scene *scene)
{
        return scene->vm->record.egress && !streq(scene->vm->record.egress, "open");
}

void lines_targets(const struct scene *scene, struct strv *out)
{
        for (size_t i = 0; i < scene->baits.count; i++) {
                const struct bait *bait = &scene->baits.items[i];

                if (!bait->loopback) {
                        add_target(out, bait->text, bait_port(bait));
                        continue;
                }
                for (size_t j = 0; j < ARRAY_SIZE(host_aliases); j++)
                        add_target(out, host_aliases[j], bait_port(bait));
        }
        for (size_t i = 0; i < scene->other_count; i++)
                for (size_t j = 0; j < scene->others[i].record.port_count; j++)
                        add_target(out, GATEWAY, scene->others[i].record.ports[j].host);
        for (size_t i = 0; !scene->vm->record.lan && i < ARRAY_SIZE(private_addresses); i++)
                add_target(out, private_addresses[i], scene->stranger);
        for (size_t i = 0; i < ARRAY_SIZE(metadata_addresses); i++)
                add_target(out, metadata_addresses[i], scene->stranger);
        for (size_t i = 0; has_rules(scene) && i < ARRAY_SIZE(public_addresses); i++)
                add_target(out, public_addresses[i], scene->stranger);
        add_target(out, ipv6_address, scene->stranger);
}

bool audit_tries(const char *address)
{
        for (size_t i = 0; i < ARRAY_SIZE(public_addresses); i++)
                if (streq(address, public_addresses[i]))
                        return true;
        return false;
}

/* --- judging */

int audit_say(struct audit_finding *out, enum audit_verdict verdict, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        set_string(&out->detail, xvasprintf(format, args));
        va_end(args);
        out->verdict = verdict;
        return 0;
}

static void add_word(struct strbuf *list, const char *word)
{
        if (list->len > 0)
                strbuf_adds(list, ", ");
        strbuf_adds(list, word);
}

static const struct probe_connect *find_connect(const struct scene *scene, const char *address, uint16_t port)
{
        for (size_t i = 0; i < scene->probe.connect_count; i++)
                if (scene->probe.connects[i].port == port && streq(scene->probe.connects[i].address, address))
                        return &scene->probe.connects[i];
        return NULL;
}

/* Looks for file systems through which a hypervisor or a network shows a folder of another computer. */
static int measure_mounts(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        static const char *const shared[] = { "9p",   "virtiofs", "fuse.sshfs", "nfs",    "nfs4",
                                              "cifs", "smb3",     "vboxsf",     "prl_fs", "fuse.vmhgfs-fuse" };
        _cleanup_(strbuf_clear) struct strbuf found = STRBUF_INIT;
        size_t disks = 0;

        if (scene->probe.mount_count == 0)
                return error_set(err, ERROR_STEP, "the guest reports no mounts at all");
        for (size_t i = 0; i < scene->probe.mount_count; i++) {
                const struct probe_mount *mount = &scene->probe.mounts[i];

                disks += starts_with(mount->source, "/dev/");
                for (size_t j = 0; j < ARRAY_SIZE(shared); j++)
                        if (streq(mount->type, shared[j]))
                                add_word(&found, mount->point);
        }
        if (found.len > 0)
                return audit_say(out, AUDIT_CROSSED, "mounted from outside: %s", found.buf);
        return audit_say(out, AUDIT_HELD, "%zu mounts, %zu of them disks of its own, none from outside",
                         scene->probe.mount_count, disks);
}

/* Judges our own listeners on one kind of address: only the guest knows their ports. */
static int measure_baits(const struct scene *scene, bool loopback, struct audit_finding *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf taken = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf laid = STRBUF_INIT;

        for (size_t i = 0; i < scene->baits.count; i++) {
                const struct bait *bait = &scene->baits.items[i];

                if (bait->loopback != loopback)
                        continue;
                add_word(&laid, bait->text);
                if (bait_taken(bait) > 0)
                        add_word(&taken, bait->text);
        }
        if (taken.len > 0)
                return audit_say(out, AUDIT_CROSSED, "the guest has connected to %s", taken.buf);
        if (laid.len == 0 && loopback)
                return error_set(err, ERROR_FAILED, "cannot listen on the loopback");
        if (laid.len == 0)
                return audit_say(out, AUDIT_HELD, "this computer has no other address");
        return audit_say(out, AUDIT_HELD, "listened on %s, tried from the guest%s: no connection came", laid.buf,
                         loopback ? " by each name of the gateway" : "");
}

static int measure_loopback(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        return measure_baits(scene, true, out, err);
}

static int measure_addresses(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        return measure_baits(scene, false, out, err);
}

/* Held when a program of ours says that it refused. That nothing answers proves nothing. */
static int measure_strangers(const struct scene *scene, const char *const *addresses, size_t count, struct audit_finding *out,
                             struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf refused = STRBUF_INIT;
        const struct engine *engine = scene->vm->engine;

        for (size_t i = 0; i < count; i++) {
                const struct probe_connect *tried = find_connect(scene, addresses[i], scene->stranger);
                _cleanup_(freep) char *reason = NULL;
                int known;

                if (!tried)
                        return error_set(err, ERROR_STEP, "the guest does not report whether it reached %s", addresses[i]);
                if (!engine->refused)
                        return audit_say(out, AUDIT_CROSSED, "nothing on this computer keeps the guest from %s (%s)",
                                         addresses[i], probe_result_name(tried->result));
                known = engine->refused(scene->vm, addresses[i], scene->stranger, &reason, err);
                if (known < 0)
                        return -1;
                if (known == 0 || tried->result == PROBE_CONNECTED)
                        return audit_say(out, AUDIT_CROSSED, "%s, port %u: %s, and our log has no refusal", addresses[i],
                                         scene->stranger, probe_result_name(tried->result));
                add_word(&refused, addresses[i]);
                strbuf_addf(&refused, " (%s)", reason);
        }
        return audit_say(out, AUDIT_HELD, "refused: %s", refused.buf);
}

static int measure_lan(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        if (scene->vm->record.lan)
                return audit_say(out, AUDIT_OPEN, "lan = true");
        return measure_strangers(scene, private_addresses, ARRAY_SIZE(private_addresses), out, err);
}

/* Tries addresses that are for documentation: nobody has them, and only a rule for a network can include them. */
static int measure_egress(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        if (!has_rules(scene))
                return audit_say(out, AUDIT_OPEN, "egress = open");
        return measure_strangers(scene, public_addresses, ARRAY_SIZE(public_addresses), out, err);
}

static int measure_metadata(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        return measure_strangers(scene, metadata_addresses, ARRAY_SIZE(metadata_addresses), out, err);
}

static int measure_ipv6(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        const struct probe_connect *tried = find_connect(scene, ipv6_address, scene->stranger);

        if (!tried)
                return error_set(err, ERROR_STEP, "the guest does not report whether it reached %s", ipv6_address);
        if (tried->result == PROBE_UNREACHABLE || tried->result == PROBE_REFUSED)
                return audit_say(out, AUDIT_HELD, "the guest has no way to %s", ipv6_address);
        return audit_say(out, AUDIT_CROSSED, "a packet to %s goes out (%s)", ipv6_address, probe_result_name(tried->result));
}

/* In the small networks of libslirp and of Lima, the name server has the third address. */
static bool is_name_server(const char *address)
{
        return streq(address, "10.0.2.3") || streq(address, "192.168.5.3");
}

/* Returns the first port of that VM that was reached; 0 = none. */
static uint16_t find_reached(const struct scene *scene, const struct vm *other)
{
        for (size_t i = 0; i < other->record.port_count; i++)
                for (size_t j = 0; j < scene->probe.gateways.count; j++) {
                        uint16_t port = other->record.ports[i].host;
                        const struct probe_connect *tried = find_connect(scene, scene->probe.gateways.items[j], port);

                        if (tried && tried->result == PROBE_CONNECTED)
                                return port;
                }
        return 0;
}

static int measure_vms(const struct scene *scene, struct audit_finding *out, struct error **err _unused_)
{
        _cleanup_(strbuf_clear) struct strbuf found = STRBUF_INIT;
        size_t ports = 0;

        for (size_t i = 0; i < scene->probe.neighbours.count; i++)
                if (!is_name_server(scene->probe.neighbours.items[i]))
                        add_word(&found, scene->probe.neighbours.items[i]);
        if (found.len > 0)
                return audit_say(out, AUDIT_CROSSED, "these answer on its network: %s", found.buf);
        for (size_t i = 0; i < scene->other_count; i++) {
                uint16_t port = find_reached(scene, &scene->others[i]);

                if (port > 0)
                        return audit_say(out, AUDIT_CROSSED, "the guest reaches port %u of VM '%s'", port,
                                         scene->others[i].name);
                ports += scene->others[i].record.port_count;
        }
        return audit_say(out, AUDIT_HELD, "nobody else on its network; forwarded ports of %zu other VMs tried in vain: %zu",
                         scene->other_count, ports);
}

static int measure_ports(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv listening = STRV_INIT;
        _cleanup_(strv_clear) struct strv meant = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf more = STRBUF_INIT;

        if (look_listening(&scene->processes, &listening, err) < 0)
                return -1;
        for (size_t i = 0; i < scene->vm->record.port_count; i++)
                strv_addf(&meant, "127.0.0.1:%u", scene->vm->record.ports[i].host);
        for (size_t i = 0; i < listening.count; i++)
                if (!strv_contains(&meant, listening.items[i]))
                        add_word(&more, listening.items[i]);
        if (more.len > 0)
                return audit_say(out, AUDIT_CROSSED, "its processes listen on %s", more.buf);
        return audit_say(out, AUDIT_HELD, "%zu listening, as in 'ports'", listening.count);
}

/* A connection that knows no host key must fail. The audit's own session has shown that the pinned key is the guest's. */
static int measure_host_key(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(freep) char *config = path_join(scene->vm->folder, "ssh_config");
        _cleanup_(freep) char *pinned = path_join(scene->vm->folder, "known_hosts");
        _cleanup_(freep) char *alias = vm_alias(scene->vm->name);
        const char *const argv[] = { "ssh",
                                     "-F",
                                     config,
                                     "-o",
                                     "UserKnownHostsFile=/dev/null",
                                     "-o",
                                     "ControlMaster=no",
                                     "-o",
                                     "ControlPath=none",
                                     "-a",
                                     "-T",
                                     "--",
                                     alias,
                                     "true",
                                     NULL };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        if (process_run(&(struct process_spec){ .argv = argv, .timeout_ms = SSH_TIMEOUT_MS }, &result, err) < 0)
                return -1;
        if (result.status == 0)
                return audit_say(out, AUDIT_CROSSED, "ssh trusts a host key that is not in '%s'", pinned);
        if (!strstr(result.err.buf, "Host key verification failed"))
                return error_set(err, ERROR_FAILED, "ssh failed for another reason than the host key");
        return audit_say(out, AUDIT_HELD, "the guest has the key in '%s', and without it ssh refuses to log in", pinned);
}

static int measure_agent(const struct scene *scene, struct audit_finding *out, struct error **err _unused_)
{
        if (scene->probe.agent_count == 0)
                return audit_say(out, AUDIT_HELD, "no agent answers in the guest");
        return audit_say(out, AUDIT_CROSSED, "an agent with %jd keys answers at '%s': is a session open that lends it?",
                         (intmax_t)scene->probe.agents[0].keys, scene->probe.agents[0].path);
}

/* Says what confinement a process lacks. The network process needs the network, so it needs no namespace of its own. */
static void name_gaps(const struct engine_process *process, const struct look_confinement *seen, struct strbuf *out)
{
        const struct {
                bool missing;
                const char *what;
        } gaps[] = {
                { !seen->seccomp, "a list of system calls" },
                { !seen->no_new_privileges, "no_new_privs" },
                { process->guest && !seen->no_capabilities, "an empty set of capabilities" },
                { process->guest && !seen->own_network, "a network namespace" },
                { process->guest && !seen->own_mounts, "a mount namespace" },
                { process->guest && !seen->own_processes, "a process namespace" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(gaps); i++)
                if (gaps[i].missing) {
                        _cleanup_(freep) char *text =
                                xasprintf("%s (pid %d) lacks %s", process->role, (int)process->pid, gaps[i].what);

                        add_word(out, text);
                }
}

/* machine-keys runs only during a session. Here it is started to confine itself as it does there. */
static void measure_keys(const struct scene *scene, struct strbuf *gaps, struct strbuf *names)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct walls walls;

        if (!scene->vm->record.forward_agent)
                return;
        if (walls_of_helper("machine-keys", &walls, &error) < 0 || !walls.system_calls)
                add_word(gaps, "machine-keys lacks a list of system calls");
        else
                add_word(names, "machine-keys");
}

static int measure_confinement(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf gaps = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf names = STRBUF_INIT;

        for (size_t i = 0; i < scene->processes.count; i++) {
                const struct engine_process *process = &scene->processes.items[i];
                struct look_confinement seen = { 0 };
                int known = look_confinement(process->pid, &seen, err);

                if (known < 0)
                        return -1;
                if (known == 0)
                        return audit_say(out, AUDIT_CROSSED, "%s (pid %d) runs unconfined, like any program of yours",
                                         process->role, (int)process->pid);
                name_gaps(process, &seen, &gaps);
                add_word(&names, process->role);
                strbuf_addf(&names, " (pid %d)", (int)process->pid);
        }
        measure_keys(scene, &gaps, &names);
        if (gaps.len > 0) {
                set_string(&out->hint, xstrdup("machine doctor"));
                return audit_say(out, AUDIT_CROSSED, "%s", gaps.buf);
        }
        /* The helpers do without Landlock when the kernel doesn't have it. */
        if (os_landlock() == 0) {
                set_string(&out->hint, xstrdup("machine doctor"));
                return audit_say(out, AUDIT_UNAVAILABLE, "this kernel has no Landlock; the rest is there: %s", names.buf);
        }
        return audit_say(out, AUDIT_HELD, "%s", names.buf);
}

static int check_mode(const char *path, mode_t forbidden, struct strbuf *bad, struct error **err)
{
        struct stat status;

        if (lstat(path, &status) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (status.st_uid == geteuid() && (status.st_mode & forbidden) == 0)
                return 0;
        add_word(bad, path);
        strbuf_addf(bad, " (%03o)", (unsigned)(status.st_mode & 0777));
        return 0;
}

static int measure_files(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        static const char *const names[] = { "id_ed25519", "host_key" };
        _cleanup_(strbuf_clear) struct strbuf bad = STRBUF_INIT;
        _cleanup_(freep) char *runtime = paths_runtime(err);

        if (!runtime || check_mode(runtime, 0077, &bad, err) < 0 || check_mode(scene->vm->folder, 0077, &bad, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(scene->vm->folder, names[i]);

                if (check_mode(path, 0077, &bad, err) < 0)
                        return -1;
        }
        if (bad.len > 0)
                return audit_say(out, AUDIT_CROSSED, "other users have rights to %s", bad.buf);
        return audit_say(out, AUDIT_HELD, "'%s' and '%s' are yours alone", scene->vm->folder, runtime);
}

static int measure_layers(const struct scene *scene, struct audit_finding *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf bad = STRBUF_INIT;
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        if (!scene->vm->record.base || scene->vm->engine->takes_image)
                return audit_say(out, AUDIT_HELD, "its disk shares nothing with another VM");
        if (layer_open(scene->vm->record.base, &layer, err) < 0)
                return -1;
        for (size_t i = 0; i < layer.folders.count; i++) {
                _cleanup_(freep) char *disk = path_join(layer.folders.items[i], LAYER_DISK);

                if (check_mode(disk, 0222, &bad, err) < 0)
                        return -1;
        }
        if (bad.len > 0)
                return audit_say(out, AUDIT_CROSSED, "can be written: %s", bad.buf);
        return audit_say(out, AUDIT_HELD, "%zu layers below its disk, none can be written", layer.folders.count);
}

/* Some program of this kind once took each of these for an option, a command or a file of the host. */
static int measure_repo_values(const struct scene *scene _unused_, struct audit_finding *out, struct error **err _unused_)
{
        static const char *const hostile[] = {
                "--upload-pack=touch /tmp/x",
                "-oProxyCommand=touch /tmp/x",
                "ssh://-oProxyCommand=x/y",
                "-x@host:path",
                "user@-oProxyCommand=x:path",
                "ext::sh -c x",
                "fd::3",
                "https://host/x\n--upload-pack=y",
        };

        for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
                if (repo_url_check(hostile[i], NULL, NULL) == 0) {
                        _cleanup_(freep) char *shown = text_visible_dup(hostile[i]);

                        return audit_say(out, AUDIT_CROSSED, "'%s' is accepted as the URL of a repo", shown);
                }
        return audit_say(out, AUDIT_HELD, "%zu hostile values in 'repos' are refused", ARRAY_SIZE(hostile));
}

const struct audit_line audit_lines[] = {
        { "mounts", "no folder of this computer is mounted in the guest", NULL, measure_mounts },
        { "host-loopback", "the guest reaches nothing on this computer's loopback", "host-loopback", measure_loopback },
        { "host-addresses", "the guest reaches nothing on any other address of this computer", "host-loopback",
          measure_addresses },
        { "lan", "the guest reaches no private address around this computer", "lan", measure_lan },
        { "metadata", "the guest reaches no cloud's metadata service", "lan", measure_metadata },
        { "egress", "the guest reaches nothing that the project's rules don't name", "egress", measure_egress },
        { "ipv6", "the guest reaches nothing by IPv6", NULL, measure_ipv6 },
        { "other-vms", "the guest reaches no other VM", "host-loopback", measure_vms },
        { "ports", "on this computer only what is in 'ports' listens for the guest", "ssh-port", measure_ports },
        { "host-key", "the guest is known by a host key that this computer made", NULL, measure_host_key },
        { "agent", "without a session that lends it, no ssh agent answers in the guest", NULL, measure_agent },
        { "lent-keys",
          "a session that lends the agent shows the keys in 'keys', else those that it needs, and signs with no other", NULL,
          measure_lent_keys },
        { "key-hosts", "a lent key logs in only to the hosts in 'key_hosts'", NULL, measure_key_hosts },
        { "secrets", "a secret in the guest is on no disk, the guest's or this computer's", NULL, measure_secrets },
        { "confinement", "what runs the guest has no privileges, few system calls, and no network or files but its own",
          "confinement", measure_confinement },
        { "files", "what this computer keeps of the VM is closed to its other users", NULL, measure_files },
        { "layers", "what the VM's disk shares with other VMs can't be written", NULL, measure_layers },
        { "repo-values", "no value from a repo reaches a program as an option", NULL, measure_repo_values },
        { 0 },
};
