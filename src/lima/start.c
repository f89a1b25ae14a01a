#include <poll.h>

#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/text.h"
#include "lima/definition.h"
#include "lima/engine.h"
#include "lima/guest.h"
#include "lima/home.h"
#include "lima/image.h"
#include "lima/limactl.h"
#include "lima/look.h"
#include "lima/system.h"
#include "vm/console.h"
#include "vm/ports.h"
#include "vm/progress.h"

/* Lima's own limit, which no progress moves, and ours, which leaves Lima time to report it. */
#define BOOT_TIMEOUT     "15m" /* the first boot of an image that isn't ours installs packages */
#define START_TIMEOUT_MS (16 * 60 * 1000)
#define LOGIN_MS         60000 /* in which the guest does nothing (vm/progress.h) */
#define LOGIN_WHOLE_MS   600000
/* When the process that started Lima is gone, the start goes on by itself for this long at most, or it is stuck. */
#define SETTLE_MS       15000 /* in which the process that is there does nothing (vm/progress.h) */
#define SETTLE_WHOLE_MS 150000
#define LOG_LIMIT       (1 << 20)

/* --- has this run of the VM been found ready before? */

/* Changes when something else is asked of a guest besides being up (system_check_guest()). */
#define READY_FORM "2"

/* Names a run by its processes: it is practically impossible that both numbers come together again. */
static char *ready_text(const struct look *look)
{
        return xasprintf(READY_FORM " %d %d %u\n", (int)look->listing.agent, (int)look->listing.driver, look->listing.ssh_port);
}

static bool is_ready(const struct vm *vm, const struct look *look)
{
        _cleanup_(freep) char *path = look_ready_path(vm);
        _cleanup_(freep) char *wanted = ready_text(look);
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        return look->state == LOOK_RUNNING && file_read(path, 4096, &text, NULL) == 0 && streq(text.buf, wanted);
}

static int mark_ready(const struct vm *vm, const struct look *look, struct error **err)
{
        _cleanup_(freep) char *path = look_ready_path(vm);
        _cleanup_(freep) char *text = ready_text(look);

        return file_write_text(path, text, 0600, err);
}

/* --- a start */

/* Waits for a start or stop that is under way to finish. One that was cut off doesn't; then the VM is killed. */
static int settle(struct vm *vm, struct look *look, struct event_sink *events, struct error **err)
{
        struct progress progress;

        progress_begin(&progress, SETTLE_MS, SETTLE_WHOLE_MS, now_ms());
        while (look->state == LOOK_HALF && !progress_is_over(&progress, now_ms())) {
                pid_t pid = look->listing.agent > 0 ? look->listing.agent : look->listing.driver;
                _cleanup_(closep) int process_fd = os_process_fd(pid);
                struct pollfd polled[] = { { .fd = process_fd, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };

                poll(polled, ARRAY_SIZE(polled), 500);
                if (interrupt_check(err) < 0)
                        return -1;
                progress_look(&progress, pid, now_ms());
                if (look_at(vm, look, err) < 0)
                        return -1;
        }
        if (look->state != LOOK_HALF)
                return 0;
        event_warning(events, "Lima has lost track of VM '%s': it is switched off and started again", vm->name);
        return lima_kill(vm, err) < 0 ? -1 : look_at(vm, look, err);
}

/* Fails even where Lima would make what is missing by itself: an instance of its default kind, or an empty disk in place of a
 * lost one. */
static int check_startable(const struct vm *vm, const struct look *look, struct error **err)
{
        _cleanup_(freep) char *aside = NULL;

        if (look->state == LOOK_NOTHING || look->state == LOOK_REMNANT)
                return error_set(err, ERROR_ENGINE, "VM '%s' has no disk", vm->name);
        if (look->state == LOOK_UNREADABLE)
                return error_set(err, ERROR_ENGINE, "Lima can't read the definition of VM '%s'", vm->name);
        aside = file_aside_command(look->folder);
        if (look_is_ours(look, vm)) {
                if (look->state != LOOK_STOPPED || image_check_disk(look->disk, INT64_MAX, NULL, err) == 0)
                        return 0;
        } else {
                error_set(err, ERROR_ENGINE, "'%s' was made for another VM of this name", look->folder);
        }
        return error_hint(err, "%s, then: machine rebuild %s", aside, vm->name);
}

/* Checks before anything is started: what can't be started, and what would weaken the line. */
static int prepare_start(const struct vm *vm, struct look *look, uint16_t *ssh_port, struct error **err)
{
        if (system_choose_port(ssh_port, err) < 0 || look_mend(vm, look, err) < 0 || check_startable(vm, look, err) < 0 ||
            ports_check(&vm->record, err) < 0 || look_write_definition(vm, look, *ssh_port, err) < 0 ||
            look_at(vm, look, err) < 0)
                return -1;
        return definition_check(look->listing.config, err);
}

static int run_start(const struct vm *vm, uint16_t ssh_port, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *instance = home_instance(vm->name);
        const char *const arguments[] = { "start", "--timeout=" BOOT_TIMEOUT, instance, NULL };

        return limactl_run(&(struct limactl_call){ .arguments = arguments,
                                                   .timeout_ms = START_TIMEOUT_MS,
                                                   .boots = vm,
                                                   .ssh_port = ssh_port,
                                                   .events = events },
                           NULL, err);
}

/* The guest is up when our own login succeeds. Lima's word is not enough, and of a guest that ran before it says nothing. */
static int await_guest(const struct vm *vm, struct look *look, int quiet_ms, int whole_ms, struct error **err)
{
        struct progress progress;

        if (look_at(vm, look, err) < 0)
                return -1;
        if (look->state != LOOK_RUNNING || look->listing.ssh_port == 0)
                return error_set(err, ERROR_ENGINE, "Lima says that VM '%s' runs, but it doesn't", vm->name);
        if (system_check_guest(vm, look->listing.driver, err) < 0)
                return -1;
        progress_begin(&progress, quiet_ms, whole_ms, now_ms());
        if (guest_await(vm, look->listing.ssh_port, look->listing.driver, &progress, err) < 0 || guest_check_ports(vm, err) < 0)
                return -1;
        return mark_ready(vm, look, err);
}

static void quote_log(struct strbuf *message, const struct look *look, const char *name, const char *label)
{
        _cleanup_(freep) char *path = path_join(look->folder, name);
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        console_quote(&quoted, path, 1);
        if (quoted.len > 0)
                strbuf_addf(message, "; %s: %s", label, quoted.buf);
}

/* What follows this mark where a log of the VM has it last, up to a quote of Lima's. NULL when there is no such mark. */
static char *find_said(const struct look *look, const char *name, const char *mark)
{
        _cleanup_(freep) char *path = path_join(look->folder, name);
        _cleanup_(strbuf_clear) struct strbuf log = STRBUF_INIT;
        const char *found = NULL;

        if (file_read(path, LOG_LIMIT, &log, NULL) < 0)
                return NULL;
        for (const char *at = log.buf; (at = strstr(at, mark));) {
                at += strlen(mark);
                found = at;
        }
        if (!found)
                return NULL;
        _cleanup_(freep) char *said = xstrndup(found, strcspn(found, "\"\r\n"));

        return text_visible_dup(said);
}

static void hint_logs(const struct look *look, struct error **err)
{
        _cleanup_(freep) char *serial = path_join(look->folder, "serial.log");
        _cleanup_(freep) char *agent = path_join(look->folder, "ha.stderr.log");
        _cleanup_(freep) char *command = text_shell_join((const char *const[]){ "less", serial, agent, NULL });

        error_hint(err, "%s", command);
}

/* Adds what the guest said last, or why there was no guest: a message of ours in a log, or else the console's last line. */
static void add_console(const struct look *look, struct error **err)
{
        _cleanup_(freep) char *refusal = NULL;
        _cleanup_(freep) char *failure = NULL;
        _cleanup_(strbuf_clear) struct strbuf message = STRBUF_INIT;

        if (!err || !*err || !look->folder)
                return;
        strbuf_adds(&message, (*err)->message);
        refusal = find_said(look, "ha.stderr.log", "machine-shim: ");
        if (refusal)
                strbuf_addf(&message, "; QEMU was not started: %s", refusal);
        failure = find_said(look, "serial.log", "machine: ");
        if (failure)
                strbuf_addf(&message, "; the guest says: %s", failure);
        else
                quote_log(&message, look, "serial.log", "last on the console");
        set_string(&(*err)->message, strbuf_take(&message));
        if (!(*err)->hint)
                hint_logs(look, err);
}

/*
 * Waits for a VM that another run started or is stopping. Returns 1 when its guest is up; 0 when it has ended meanwhile, so
 * that it has to be started; -1 when neither.
 */
static int join(struct vm *vm, struct look *look, struct event_sink *events, struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;

        event_note(events, "VM '%s' is already running: waiting for its guest", vm->name);
        if (await_guest(vm, look, START_TIMEOUT_MS, START_TIMEOUT_MS, &reason) == 0)
                return 1;
        if (look_at(vm, look, err) < 0 || settle(vm, look, events, err) < 0)
                return -1;
        if (look->state != LOOK_RUNNING)
                return 0;
        if (err)
                *err = TAKE_PTR(reason);
        add_console(look, err);
        return error_hint_else(err, "machine down %s", vm->name);
}

static int start(struct vm *vm, struct look *look, struct event_sink *events, struct error **err)
{
        _cleanup_(error_freep) struct error *after = NULL;
        uint16_t ssh_port;

        if (look_mend(vm, look, err) < 0 || check_startable(vm, look, err) < 0 || settle(vm, look, events, err) < 0)
                return -1;
        if (look->state == LOOK_RUNNING) {
                int joined = join(vm, look, events, err);

                if (joined != 0)
                        return joined < 0 ? -1 : 0;
        }
        if (prepare_start(vm, look, &ssh_port, err) < 0)
                return -1;
        if (run_start(vm, ssh_port, events, err) == 0 && await_guest(vm, look, LOGIN_MS, LOGIN_WHOLE_MS, err) == 0)
                return 0;
        add_console(look, err);
        interrupt_hold();
        /* A start that failed, was stopped, timed out or is degraded leaves the VM running, and the next one would take that
         * for success. */
        if (lima_kill(vm, &after) < 0)
                event_warning(events, "%s", after->message);
        interrupt_go_on();
        return -1;
}

int lima_start(struct vm *vm, struct event_sink *events, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;

        if (look_at(vm, &look, err) < 0)
                return -1;
        if (is_ready(vm, &look))
                return 0;
        event_begin(events, "start", "starting VM '%s'", vm->name);
        if (start(vm, &look, events, err) < 0) {
                event_end(events, "start", EVENT_FAILED, NULL);
                error_wrap(err, "cannot start VM '%s'", vm->name);
                return error_set_kind(err, ERROR_ENGINE);
        }
        event_end(events, "start", EVENT_DONE, NULL);
        return 0;
}
