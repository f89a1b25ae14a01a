#include "qemu/helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/park.h"
#include "qemu/socket.h"
#include "vm/logging.h"
#include "vm/network.h"
#include "vm/ports.h"
#include "vm/rules.h"

#define QEMU_HEAD (256 << 10)
#define QEMU_MOST (1 << 20)

/* Opens a pipe that QEMU writes to, or will. */
static int open_pipe(const char *path, struct error **err)
{
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? error_errno(err, ERROR_ENGINE, "cannot open the pipe '%s'", path) : fd;
}

int helpers_start_log(const struct runtime *runtime, pid_t *pid, struct error **err)
{
        _cleanup_(closep) int console_in = open_pipe(runtime->console_pipe, err);
        _cleanup_(closep) int messages_in = console_in >= 0 ? open_pipe(runtime->messages_pipe, err) : -1;
        _cleanup_(closep) int console_out = messages_in >= 0 ? logging_open(runtime->console_log, err) : -1;
        _cleanup_(closep) int messages_out = console_out >= 0 ? logging_open(runtime->qemu_log, err) : -1;
        const struct logging_stream streams[] = {
                { console_in, console_out, LOGGING_CONSOLE_HEAD, LOGGING_CONSOLE_MOST },
                { messages_in, messages_out, QEMU_HEAD, QEMU_MOST },
        };

        if (messages_out < 0)
                return -1;
        /* machine-log is found by this lock (processes.c). The file belongs to this run alone. */
        if (flock(console_out, LOCK_EX | LOCK_NB) < 0)
                return error_errno(err, ERROR_FAILED, "cannot lock '%s'", runtime->console_log);
        return logging_start(streams, ARRAY_SIZE(streams), pid, err);
}

int helpers_start_network(const struct vm *vm, const struct runtime *runtime, int frames_fd, enum network_kind kind, pid_t *pid,
                          struct error **err)
{
        const struct vm_record *record = &vm->record;
        _cleanup_(strv_clear) struct strv options = STRV_INIT;
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(closep) int control = -1;
        bool lasts = kind != NETWORK_SCRATCH;

        if (lasts && socket_listen_messages(runtime->control, &control, err) < 0)
                return -1;
        strv_addf(&options, "--ssh-socket=%s", runtime->ssh);
        strv_addf(&options, "--hostname=%s", vm->name);
        for (size_t i = 0; i < record->port_count; i++)
                strv_addf(&options, "--forward=%u:%u", record->ports[i].host, record->ports[i].guest);
        if (record->lan)
                strv_add(&options, "--lan");
        if (lasts && record->wake_on && streq(record->wake_on, WAKE_ANY))
                strv_add(&options, "--wake-on=any");
        rules_options(vm, &options);
        if (network_start(&(struct network_spec){ .frames_fd = frames_fd,
                                                  .log = runtime->net_log,
                                                  .control_fd = lasts ? control : 0,
                                                  .wakes = lasts ? vm->name : NULL,
                                                  .goes_on = kind == NETWORK_GOES_ON,
                                                  .options = strv_argv(&options) },
                          pid, &reason) == 0)
                return 0;
        /* This says who has the port, which machine-net can't. */
        if (ports_check(record, err) < 0)
                return -1;
        if (err)
                *err = TAKE_PTR(reason);
        return -1;
}
