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
#include "qemu/launch.h"
#include "qemu/lines.h"
#include "qemu/migration.h"
#include "qemu/socket.h"
#include "qemu/template.h"
#include "vm/identity.h"

/* A restore takes a tenth of a second. These limits are for a busy host. */
#define RESTORE_MS        20000
#define WAKE_KVM_MS       10000
#define WAKE_EMULATED_MS  60000
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

/* Reads the line that the guest answers with. */
static int read_line(int fd, struct lines *lines, struct strbuf *line, deadline limit, struct error **err)
{
        for (;;) {
                char block[512];
                int got = lines_next(lines, line, err);
                ssize_t length;

                if (got != 0)
                        return got < 0 ? -1 : 0;
                got = socket_wait(fd, POLLIN, limit, err);
                if (got <= 0)
                        return got < 0 ? -1 : error_set(err, ERROR_ENGINE, "the guest does not answer");
                length = recv(fd, block, sizeof(block), 0);
                if (length > 0)
                        lines_feed(lines, block, (size_t)length);
                else if (length == 0 || (errno != EINTR && errno != EAGAIN))
                        return error_set(err, ERROR_ENGINE, "QEMU has ended");
        }
}

/* Reads the answer: "ok", or the reason why not. */
static int read_answer(int fd, deadline limit, struct error **err)
{
        _cleanup_(lines_clear) struct lines lines = LINES_INIT(ANSWER_LINE_LIMIT);
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(freep) char *shown = NULL;

        if (read_line(fd, &lines, &line, limit, err) < 0)
                return -1;
        if (streq(line.buf, "ok"))
                return 0;
        shown = text_visible_dup(line.buf);
        return error_set(err, ERROR_ENGINE, "the guest says: %s", shown);
}

/* The clock goes last, because time goes on meanwhile. */
static int hand_over_identity(const struct vm *vm, int fd, deadline limit, struct error **err)
{
        _cleanup_(identity_wipe) struct strbuf text = STRBUF_INIT;
        struct timespec now;

        if (identity_describe(vm, &text, err) < 0)
                return -1;
        clock_gettime(CLOCK_REALTIME, &now);
        strbuf_addf(&text, "time %jd.%06ld\n\n", (intmax_t)now.tv_sec, now.tv_nsec / 1000);
        if (socket_send(fd, text.buf, text.len, limit, err) < 0 || read_answer(fd, limit, err) < 0)
                return error_wrap(err, "cannot give VM '%s' its identity", vm->name);
        return 0;
}

/* The template's disk is as large as its layer. The guest learns of the new size as it would of any disk that was enlarged. */
static int grow_disk(const struct vm *vm, const struct layer *layer, struct qmp *qmp, deadline limit, struct error **err)
{
        return vm->record.disk_bytes <= layer->disk_bytes ? 0 : disk_grow(qmp, vm->record.disk_bytes, limit, err);
}

static int wake(const struct launch *launch, struct qmp *qmp, int state, struct error **err)
{
        deadline restored = deadline_in(RESTORE_MS);
        _cleanup_(closep) int resume = -1;

        /* Connected before the devices are there, so that the guest sees no change at that port. */
        if (socket_connect(launch->runtime->resume, deadline_in(CONNECT_MS), &resume, err) < 0 ||
            migration_load(qmp, &launch->toolkit, state, restored, err) < 0 ||
            /* A QEMU that waits for a guest holds its disk only from here on. */
            qmp_call(qmp, "cont", NULL, restored, NULL, err) < 0 ||
            grow_disk(launch->vm, launch->layer, qmp, restored, err) < 0)
                return -1;
        return hand_over_identity(launch->vm, resume, deadline_in(launch->acceleration.kvm ? WAKE_KVM_MS : WAKE_EMULATED_MS),
                                  err);
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
        const struct vm_record *record = &launch->vm->record;
        const struct template_wish wish = {
                .base = &base,
                .user = record->user,
                .shell = record->shell,
                .cpus = record->cpus,
                .memory_bytes = record->memory_bytes,
                .toolkit = &launch->toolkit,
                .acceleration = &launch->acceleration,
        };
        const char *parent;

        if (json_get_string(layer->manifest, "parent", &parent, err) < 0 || layer_open(parent, &base, err) < 0)
                return -1;
        return template_fits(layer, &wish, err);
}

/* Returns 1 when it was restored, 0 when it can't be: `reason` says why, `blame` whether the template is at fault. */
static int try_restore(struct launch *launch, bool *blame, struct error **reason)
{
        *blame = false;
        if (check_fit(launch, launch->layer, reason) < 0)
                return 0;
        *blame = true;
        if (template_check(launch->layer, reason) < 0)
                return 0;
        *blame = false;
        if (run_restored(launch, blame, reason) == 0 && restore_forget(launch->runtime, reason) == 0)
                return 1;
        launch_explain(launch, reason);
        return 0;
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

int restore_start(const struct vm *vm, const struct runtime *runtime, const struct layer *layer, struct event_sink *events,
                  struct error **err)
{
        _cleanup_(launch_clear) struct launch launch = { .vm = vm, .runtime = runtime, .lock = LOCK_INIT };
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        bool blame;

        if (layer_use(layer->key, &lock, err) < 0 || launch_prepare(&launch, layer, events, err) < 0 ||
            begin(vm, runtime, layer, err) < 0 || disk_inspect(runtime->disk, layer, 0, NULL, err) < 0)
                return -1;
        if (try_restore(&launch, &blame, &reason)) {
                launch_keep(&launch);
                return 1;
        }
        launch_clear(&launch);
        give_up(vm, layer, blame, reason, events);
        if (refresh_disk(vm, runtime, layer, vm->record.disk_bytes, err) < 0)
                return -1;
        return restore_forget(runtime, err);
}
