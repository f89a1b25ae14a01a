#include "qemu/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"
#include "qemu/disk.h"
#include "qemu/engine.h"
#include "qemu/launch.h"
#include "qemu/lines.h"
#include "qemu/migration.h"
#include "qemu/socket.h"
#include "qemu/template.h"
#include "vm/identity.h"
#include "vm/progress.h"

/* A restore takes a tenth of a second, on a busy host with a slow disk much more. */
#define RESTORE_MS 120000
/* How long the guest, or the QEMU that runs it, may show no sign of life before it has taken on its identity (vm/progress.h).
 */
#define WAKE_KVM_MS       10000
#define WAKE_EMULATED_MS  60000
#define WAKE_WHOLE_MS     180000
#define CONNECT_MS        5000
#define ANSWER_LINE_LIMIT 4096

/* The file's name while the restore goes on. The disk may have been written to then. */
static char *begun_name(const struct runtime *runtime)
{
        return xasprintf("%s.begun", runtime->restore);
}

static bool has_begun(const struct runtime *runtime)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        return file_exists(begun);
}

bool restore_is_due(const struct runtime *runtime)
{
        return file_exists(runtime->restore) || has_begun(runtime);
}

int restore_plan(const struct runtime *runtime, struct error **err)
{
        return file_write_text(runtime->restore, "", 0600, err);
}

int restore_forget(const struct runtime *runtime, struct error **err)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        return file_remove(runtime->restore, err) < 0 ? -1 : file_remove(begun, err);
}

/* Replaces the disk: one that a killed restore may have written to no longer fits the template's memory. */
static int refresh_disk(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, int64_t bytes,
                        struct error **err)
{
        if (disk_make(runtime->disk, layer, bytes, err) < 0)
                return error_wrap(err, "cannot make the disk of VM '%s'", vm->name);
        return 0;
}

/* The guest that is to take on its identity. */
struct answer {
        const struct launch *launch;
        int fd;     /* its port; ours */
        pid_t qemu; /* 0 = unknown */
        bool again; /* it was told a second time */
        struct progress progress;
};

static int connect_port(const struct runtime *runtime, int *fd, struct error **err)
{
        return socket_connect(runtime->resume, deadline_in(CONNECT_MS), fd, err);
}

/* The clock goes last, because time goes on meanwhile. */
static int send_identity(const struct answer *answer, struct error **err)
{
        _cleanup_(identity_wipe) struct strbuf text = STRBUF_INIT;
        struct timespec now;

        if (identity_describe(answer->launch->vm, &text, err) < 0)
                return -1;
        clock_gettime(CLOCK_REALTIME, &now);
        strbuf_addf(&text, "time %jd.%06ld\n\n", (intmax_t)now.tv_sec, now.tv_nsec / 1000);
        return socket_send(answer->fd, text.buf, text.len, deadline_in(answer->progress.quiet_ms), err);
}

/* Tells it once more over a new connection. The guest sees its port close and open, which wakes one that has overheard the
 * first. One that did hear it takes no notice: of the same words said twice, the later count. */
static int tell_again(struct answer *answer, struct error **err)
{
        answer->again = true;
        closep(&answer->fd);
        answer->fd = -1;
        return connect_port(answer->launch->runtime, &answer->fd, err) < 0 ? -1 : send_identity(answer, err);
}

/* The guest has not answered for a while. Returns 0 when it is to be waited for. */
static int look_again(struct answer *answer, struct error **err)
{
        const struct vm *vm = answer->launch->vm;
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        _cleanup_(freep) char *text = NULL;
        int64_t now = now_ms();

        if (engine_inspect(vm, &status, NULL) == 0 && status.state == VM_PAUSED)
                return vm_refuse_state(vm, &status, err);
        progress_look(&answer->progress, answer->qemu, now);
        if (!answer->again && now - answer->progress.begun >= answer->progress.quiet_ms / 3)
                return tell_again(answer, err);
        if (!progress_is_over(&answer->progress, now))
                return 0;
        text = progress_text(&answer->progress, now);
        error_set(err, ERROR_ENGINE, "the guest does not answer %s", text);
        return error_passes(err, "a guest wakes faster when this computer has less to do");
}

/* Reads the line that the guest answers with. */
static int read_line(struct answer *answer, struct lines *lines, struct strbuf *line, struct error **err)
{
        for (;;) {
                char block[512];
                int got = lines_next(lines, line, err);
                ssize_t length;

                if (got != 0)
                        return got < 0 ? -1 : 0;
                got = socket_wait(answer->fd, POLLIN, deadline_in(progress_pause_ms(&answer->progress)), err);
                if (got < 0 || (got == 0 && look_again(answer, err) < 0))
                        return -1;
                if (got == 0)
                        continue;
                length = recv(answer->fd, block, sizeof(block), 0);
                if (length > 0)
                        lines_feed(lines, block, (size_t)length);
                else if (length == 0 || (errno != EINTR && errno != EAGAIN))
                        return error_set(err, ERROR_ENGINE, "QEMU has ended");
        }
}

/* Reads the answer: "ok", or the reason why not. */
static int read_answer(struct answer *answer, struct error **err)
{
        _cleanup_(lines_clear) struct lines lines = LINES_INIT(ANSWER_LINE_LIMIT);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(freep) char *shown = NULL;

        if (read_line(answer, &lines, &line, err) < 0)
                return -1;
        if (streq(line.buf, "ok"))
                return 0;
        shown = text_visible_dup(line.buf);
        return error_set(err, ERROR_ENGINE, "the guest says: %s", shown);
}

static int hand_over_identity(struct answer *answer, struct error **err)
{
        const struct launch *launch = answer->launch;

        answer->qemu = runtime_qemu(launch->runtime);
        progress_begin(&answer->progress, launch->acceleration.kvm ? WAKE_KVM_MS : WAKE_EMULATED_MS, WAKE_WHOLE_MS, now_ms());
        if (send_identity(answer, err) < 0 || read_answer(answer, err) < 0)
                return error_wrap(err, "cannot give VM '%s' its identity", launch->vm->name);
        return 0;
}

/* The template's disk is as large as its layer. The guest learns of the new size as it would of any disk that was enlarged. */
static int grow_disk(const struct vm *vm, const struct layer *layer, struct qmp *qmp, deadline limit, struct error **err)
{
        return vm->record.disk_bytes <= layer->disk_bytes ? 0 : disk_grow(qmp, vm->record.disk_bytes, limit, err);
}

static int wake(const struct launch *launch, struct qmp *qmp, int state, struct error **err)
{
        struct answer answer = { .launch = launch, .fd = -1 };
        deadline restored = deadline_in(RESTORE_MS);
        int woken = -1;

        /* Connected before the devices are there, so that the guest sees no change at that port. */
        if (connect_port(launch->runtime, &answer.fd, err) == 0 &&
            migration_load(qmp, &launch->toolkit, state, restored, err) == 0 &&
            /* A QEMU that waits for a guest holds its disk only from here on. */
            qmp_call(qmp, "cont", NULL, restored, NULL, err) == 0 &&
            grow_disk(launch->vm, launch->layer, qmp, restored, err) == 0)
                woken = hand_over_identity(&answer, err);
        closep(&answer.fd);
        return woken;
}

/* *reached becomes true once QEMU has started: what fails after that is the restore. */
static int run_restored(struct launch *launch, bool *reached, struct error **err)
{
        _cleanup_(freep) char *memory = template_memory(launch->layer);
        _cleanup_(freep) char *state_path = template_state(launch->layer);
        _cleanup_(closep) int state = open(state_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_(qmp_freep) struct qmp *qmp = NULL;

        if (state < 0)
                return error_errno(err, ERROR_ENGINE, "cannot open '%s'", state_path);
        if (launch_start(launch, &(struct launch_memory){ .file = memory, .load = true }, err) < 0 ||
            launch_qmp(launch, &qmp, err) < 0)
                return -1;
        *reached = true;
        return wake(launch, qmp, state, err);
}

/* Fails when the template is not for this VM and this host. */
static int check_fit(const struct launch *launch, const struct layer *layer, struct error **err)
{
        _cleanup_(layer_clear) struct layer base = LAYER_INIT;
        const struct template_wish wish =
                template_wish_for(&launch->vm->record, &base, &launch->toolkit, &launch->acceleration);
        const char *parent;

        if (json_get_string(layer->manifest, "parent", &parent, err) < 0 || layer_open(parent, &base, err) < 0)
                return -1;
        return template_fits(layer, &wish, err);
}

enum outcome {
        RESTORED,
        CANNOT,  /* the template isn't at fault */
        DAMAGED, /* it is */
        SILENT,  /* the guest was there and didn't take on its identity */
        WAITS,   /* the host's disk is full; the next start restores it */
        FAILED,  /* the VM can't be started at all */
};

/* `reason` says why it was not restored. */
static enum outcome try_restore(struct launch *launch, struct error **reason)
{
        _cleanup_(vm_status_clear) struct vm_status status = VM_STATUS_INIT;
        bool reached = false;

        if (check_fit(launch, launch->layer, reason) < 0)
                return CANNOT;
        if (template_check(launch->layer, reason) < 0)
                return DAMAGED;
        if (run_restored(launch, &reached, reason) == 0 && restore_forget(launch->runtime, reason) == 0)
                return RESTORED;
        if (engine_inspect(launch->vm, &status, NULL) == 0 && status.state == VM_PAUSED && status.waits) {
                vm_refuse_state(launch->vm, &status, reason);
                return WAITS;
        }
        launch_explain(launch, reason);
        return reached ? SILENT : CANNOT;
}

static void give_up(const struct vm *vm, const struct layer *layer, bool blame, const struct error *reason,
                    struct event_sink *events)
{
        _cleanup_(freep) char *text = error_text(reason);

        event_warning(events, "VM '%s' boots cold, because it can't be restored from its warm template%s: %s", vm->name,
                      blame ? ", which is removed" : "", text);
        if (blame)
                template_drop(layer, NULL);
}

/* From here on a killed run may leave a disk that was written to. */
static int begin(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct error **err)
{
        _cleanup_(freep) char *begun = begun_name(runtime);

        if (file_exists(begun))
                return refresh_disk(vm, runtime, layer, 0, err);
        return file_rename(runtime->restore, begun, err);
}

static enum outcome try_once(const struct vm *vm, const struct runtime *runtime, const struct layer *layer,
                             struct event_sink *events, struct error **reason)
{
        _cleanup_(launch_clear) struct launch launch = LAUNCH_INIT(vm, runtime);
        enum outcome outcome;

        if (launch_prepare(&launch, layer, events, reason) < 0 || begin(vm, runtime, layer, reason) < 0 ||
            disk_inspect(runtime->disk, layer, 0, NULL, reason) < 0)
                return FAILED;
        outcome = try_restore(&launch, reason);
        if (outcome == RESTORED)
                launch_keep(&launch);
        return outcome;
}

/* That one guest stays silent says nothing of its template, so it gets a second try. */
static enum outcome try_twice(const struct vm *vm, const struct runtime *runtime, const struct layer *layer,
                              struct event_sink *events, struct error **reason)
{
        enum outcome outcome = try_once(vm, runtime, layer, events, reason);
        _cleanup_(freep) char *text = NULL;

        if (outcome != SILENT)
                return outcome;
        text = error_text(*reason);
        event_note(events, "VM '%s' didn't wake from its warm template and is restored again: %s", vm->name, text);
        error_free(TAKE_PTR(*reason));
        return try_once(vm, runtime, layer, events, reason);
}

int restore_start(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
                  struct error **err)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        enum outcome outcome;

        if (layer_use(layer->key, &lock, err) < 0)
                return -1;
        outcome = try_twice(vm, runtime, layer, events, &reason);
        if (outcome == RESTORED)
                return 1;
        if (outcome == WAITS || outcome == FAILED)
                return error_give(err, TAKE_PTR(reason));
        give_up(vm, layer, outcome != CANNOT, reason, events);
        if (refresh_disk(vm, runtime, layer, vm->record.disk_bytes, err) < 0)
                return -1;
        return restore_forget(runtime, err);
}
