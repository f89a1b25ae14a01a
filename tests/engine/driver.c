/*
 * Calls one engine's functions, for the contract tests: engine-driver [OPTION…] COMMAND NAME
 *
 *         probe     what the engine says of this machine, as JSON
 *         create, start, stop, kill, remove
 *         inspect   the state, as JSON
 *         list      the states of all VMs, by their names, as JSON; NAME is ignored
 *         connect   relays standard input and output to the guest's sshd (an ssh ProxyCommand)
 *         processes the processes that run the VM, as JSON
 *         base      the key of the base layer that a new VM would stand on, as JSON
 *
 * Events go to standard error, one line each. The exit status is the error's.
 */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/keys.h"
#include "image/base-inputs.h"
#include "lib/deadline.h"
#include "lib/json.h"
#include "lib/option.h"
#include "lib/text.h"
#include "lima/lima.h"
#include "vm/vm.h"
#ifdef __linux__
#include "qemu/qemu.h"
#endif

struct options {
        const char *engine, *user, *memory;
        bool cold, lan;
        int64_t cpus, host_port, guest_port;
};

#define NUMBER(field, name_, most)                                                                                             \
        {                                                                                                                      \
                .name = (name_), .type = OPTION_INTEGER, .value_name = "N", .offset = offsetof(struct options, field),         \
                .low = 1, .high = (most)                                                                                       \
        }

static const struct option table[] = {
        OPTION(struct options, engine, "engine", 0, OPTION_TEXT, "NAME", "which one"),
        OPTION(struct options, user, "user", 0, OPTION_TEXT, "NAME", "the guest's user"),
        OPTION(struct options, memory, "memory", 0, OPTION_TEXT, "SIZE", "of the guest"),
        OPTION(struct options, cold, "cold", 0, OPTION_FLAG, NULL, "not from a template"),
        OPTION(struct options, lan, "lan", 0, OPTION_FLAG, NULL, "the guest reaches the network around"),
        NUMBER(cpus, "cpus", 64),
        NUMBER(host_port, "host-port", UINT16_MAX), /* forwarded to guest-port */
        NUMBER(guest_port, "guest-port", UINT16_MAX),
        { 0 },
};

static const struct engine *const engines[] = {
#ifdef __linux__
        &qemu_engine,
#endif
        &lima_engine,
        NULL,
};

static int64_t began;

static void print_event(struct event_sink *sink, const struct event *event)
{
        if (event->type == EVENT_PROGRESS)
                return;
        fprintf(stderr, "%8.3f %s %s%s%s\n", (double)(now_ms() - began) / 1000, event_type_name(event->type),
                event->type == EVENT_END ? event_outcome_name(event->outcome)
                : event->text            ? event->text
                                         : "",
                event->id ? " " : "", event->id ? event->id : "");
}

static struct event_sink events = { print_event };

static char *random_uuid(void)
{
        unsigned char bytes[16];
        char digits[33];

        randombytes_buf(bytes, sizeof(bytes));
        sodium_bin2hex(digits, sizeof(digits), bytes, sizeof(bytes));
        return xasprintf("%.8s-%.4s-%.4s-%.4s-%s", digits, digits + 8, digits + 12, digits + 16, digits + 20);
}

static int fill_record(struct vm_record *record, const struct options *options, const char *name, struct error **err)
{
        vm_record_clear(record);
        *record = (struct vm_record){
                .name = xstrdup(name),
                .owner = xstrdup("projects.toml"),
                .engine = xstrdup(options->engine),
                .uuid = random_uuid(),
                .user = xstrdup(options->user),
                .shell = xstrdup("bash"),
                .created = xstrdup("2026-01-01T00:00:00Z"),
                .cpus = options->cpus,
                .cold = options->cold,
                .lan = options->lan,
                .disk_bytes = INT64_C(8) << 30,
        };
        if (text_parse_size(options->memory, &record->memory_bytes) < 0)
                return error_set(err, ERROR_USAGE, "'%s' is no size", options->memory);
        if (options->host_port > 0) {
                record->ports = xcalloc(1, sizeof(*record->ports));
                record->ports[record->port_count++] =
                        (struct vm_port){ (uint16_t)options->host_port, (uint16_t)options->guest_port };
        }
        return 0;
}

static int create(struct vm *vm, const struct options *options, struct error **err)
{
        if (vm_lock(vm, &events, err) < 0)
                return -1;
        if (!vm->exists && fill_record(&vm->record, options, vm->name, err) < 0)
                return -1;
        vm->engine = vm_find_engine(options->engine);
        if (!vm->engine)
                return error_set(err, ERROR_USAGE, "no engine '%s'", options->engine);
        if (vm_intend(vm, INTENT_CREATE, err) < 0 || keys_ensure(vm->folder, vm->name, NULL, err) < 0 ||
            vm->engine->create(vm, &events, err) < 0)
                return -1;
        return vm_intend(vm, INTENT_NONE, err);
}

static int start(struct vm *vm, const struct options *options, struct error **err)
{
        return vm_lock(vm, &events, err) < 0 ? -1 : vm->engine->start(vm, &events, err);
}

static int stop(struct vm *vm, const struct options *options, struct error **err)
{
        return vm_lock(vm, &events, err) < 0 ? -1 : vm->engine->stop(vm, &events, err);
}

static int kill_vm(struct vm *vm, const struct options *options, struct error **err)
{
        return vm_lock(vm, &events, err) < 0 ? -1 : vm->engine->kill(vm, err);
}

static int remove_vm(struct vm *vm, const struct options *options, struct error **err)
{
        if (vm_lock(vm, &events, err) < 0 || vm_intend(vm, INTENT_DESTROY, err) < 0 || vm->engine->remove(vm, err) < 0)
                return -1;
        return vm_forget(vm, err);
}

static int print_json(json_t *value)
{
        _cleanup_(json_decrefp) json_t *owned = value;
        _cleanup_(freep) char *text = json_text(owned);

        puts(text);
        return 0;
}

static json_t *status_json(const struct vm_status *status)
{
        return json_pack("{s:s, s:s?, s:I, s:I}", "state", vm_state_name(status->state), "reason", status->reason,
                         "memory_bytes", (json_int_t)status->memory_bytes, "disk_bytes", (json_int_t)status->disk_bytes);
}

static int inspect(struct vm *vm, const struct options *options, struct error **err)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;

        return vm_inspect(vm, &status, err) < 0 ? -1 : print_json(status_json(&status));
}

#define LISTED_MOST 16

static int list(struct vm *vm, const struct options *options, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        struct vm found[LISTED_MOST];
        struct vm_inspection asked[LISTED_MOST] = { 0 };
        json_t *all = json_object();

        if (vm_list(&names, err) < 0)
                return -1;
        if (names.count > LISTED_MOST)
                return error_set(err, ERROR_FAILED, "there are more than %d VMs", LISTED_MOST);
        for (size_t i = 0; i < names.count; i++) {
                found[i] = (struct vm)VM_INIT;
                asked[i].vm = &found[i];
                if (vm_open(&found[i], names.items[i], err) < 0)
                        return -1;
        }
        vm_inspect_many(asked, names.count);
        for (size_t i = 0; i < names.count; i++) {
                const struct error *error = asked[i].error;

                json_object_set_new(all, names.items[i],
                                    error ? json_pack("{s:s}", "error", error->message) : status_json(&asked[i].status));
                error_free(asked[i].error);
                vm_status_clear(&asked[i].status);
                vm_clear(&found[i]);
        }
        return print_json(all);
}

static int print_processes(struct vm *vm, const struct options *options, struct error **err)
{
        struct engine_processes found;
        json_t *all = json_array();

        if (vm->engine->processes(vm, &found, err) < 0) {
                json_decref(all);
                return -1;
        }
        for (size_t i = 0; i < found.count; i++)
                json_array_append_new(all,
                                      json_pack("{s:i, s:s}", "pid", (int)found.items[i].pid, "role", found.items[i].role));
        return print_json(all);
}

static int probe(struct vm *vm, const struct options *options, struct error **err)
{
        _cleanup_(engine_probe_clear) struct engine_probe found = ENGINE_PROBE_INIT;
        const struct engine *engine = vm_find_engine(options->engine);

        if (!engine)
                return error_set(err, ERROR_USAGE, "no engine '%s'", options->engine);
        if (engine->probe(&found, err) < 0)
                return -1;
        return print_json(json_pack("{s:b, s:s?, s:s?, s:s?, s:s?}", "usable", found.usable, "version", found.version,
                                    "acceleration", found.acceleration, "note", found.note, "hint", found.hint));
}

static int print_base(struct vm *vm, const struct options *options, struct error **err)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;

        if (base_inputs_collect(options->user, NULL, &inputs, err) < 0)
                return -1;
        return print_json(json_pack("{s:s}", "key", inputs.key));
}

static int print_lost(struct vm *vm, const struct options *options, struct error **err)
{
        struct engine_lost lost;

        if (vm_find_lost(vm, &lost, err) < 0)
                return -1;
        return print_json(json_pack("{s:s?, s:s?}", "now", lost.now, "later", lost.later));
}

/* Returns false at the end of the file. */
static bool copy_some(int from, int to)
{
        char block[65536];
        ssize_t got = read(from, block, sizeof(block));

        for (ssize_t done = 0; done < got;) {
                ssize_t written = write(to, block + done, (size_t)(got - done));

                if (written < 0)
                        return false;
                done += written;
        }
        return got > 0;
}

static int connect_vm(struct vm *vm, const struct options *options, struct error **err)
{
        _cleanup_(closep) int fd = -1;
        struct pollfd polled[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };

        if (vm->engine->connect(vm, &fd, err) < 0)
                return -1;
        polled[1].fd = fd;
        while (polled[1].fd >= 0 && poll(polled, ARRAY_SIZE(polled), -1) >= 0) {
                if (polled[0].revents && !copy_some(STDIN_FILENO, fd)) {
                        shutdown(fd, SHUT_WR);
                        polled[0].fd = -1;
                }
                if (polled[1].revents && !copy_some(fd, STDOUT_FILENO))
                        polled[1].fd = -1;
        }
        return 0;
}

static const struct command {
        const char *name;
        bool needs_vm;
        int (*run)(struct vm *vm, const struct options *options, struct error **err);
} commands[] = {
        { "probe", false, probe },
        { "create", false, create },
        { "start", true, start },
        { "stop", true, stop },
        { "kill", true, kill_vm },
        { "remove", true, remove_vm },
        { "inspect", false, inspect },
        { "connect", true, connect_vm },
        { "base", false, print_base },
        { "list", false, list },
        { "processes", true, print_processes },
        { "lost", true, print_lost },
};

static int run(const char *const *argv, struct error **err)
{
        struct options options = { .engine = "qemu", .user = "dev", .memory = "1GiB", .cpus = 2, .guest_port = 80 };
        _cleanup_(strv_clear) struct strv operands = STRV_INIT;
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (option_parse(table, argv, false, &options, &operands, NULL, err) < 0)
                return -1;
        if (operands.count != 2)
                return error_set(err, ERROR_USAGE, "usage: engine-driver [OPTION…] COMMAND NAME");
        for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
                if (!streq(commands[i].name, operands.items[0]))
                        continue;
                if ((commands[i].needs_vm ? vm_open_existing : vm_open)(&vm, operands.items[1], err) < 0)
                        return -1;
                return commands[i].run(&vm, &options, err);
        }
        return error_set(err, ERROR_USAGE, "no command '%s'", operands.items[0]);
}

int main(int argc, char **argv)
{
        _cleanup_(error_freep) struct error *err = NULL;

        signal(SIGPIPE, SIG_IGN);
        began = now_ms();
        vm_set_engines(engines);
        if (run((const char *const *)argv + 1, &err) == 0)
                return 0;
        for (const struct error *each = err; each; each = each->next) {
                _cleanup_(freep) char *text = error_text(each);

                fprintf(stderr, "engine-driver: %s\n", text);
                if (each->hint)
                        fprintf(stderr, "hint: %s\n", each->hint);
        }
        return error_exit_status(err);
}
