#include "vm/monitor.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/os.h"
#include "lib/text.h"

#define HEARD_MOST (256 << 10)
/* QEMU sends events in between, for as long as its guest causes them. */
#define LINES_MOST 1000
/* A disk that is still full stops the guest again within a few milliseconds. */
#define SETTLE_MS 500

#define AGREE    "{\"execute\":\"qmp_capabilities\"}\n"
#define LAST     "last"
#define QUESTION AGREE "{\"execute\":\"query-status\"}\n{\"execute\":\"query-block\",\"id\":\"" LAST "\"}\n"

void monitor_clear(struct monitor *monitor)
{
        closep(&monitor->fd);
        monitor->fd = -1;
        strbuf_clear(&monitor->heard);
}

void monitor_status_clear(struct monitor_status *status)
{
        free(status->run);
        *status = (struct monitor_status){ 0 };
}

static void say(struct monitor *monitor, int fd, const char *text)
{
        monitor_clear(monitor);
        monitor->fd = fd;
        /* A fresh connection has room for so little. If QEMU has gone meanwhile, there is no answer; main() ignores SIGPIPE. */
        if (send(fd, text, strlen(text), MSG_DONTWAIT) != (ssize_t)strlen(text))
                monitor_clear(monitor);
}

void monitor_ask(struct monitor *monitor, int fd)
{
        say(monitor, fd, QUESTION);
}

/* Takes the next line as JSON. Returns 1; 0 when none came before the limit; -1 when none can come. */
static int next_line(struct monitor *monitor, deadline limit, json_t **out)
{
        while (monitor->fd >= 0) {
                struct pollfd polled = { .fd = monitor->fd, .events = POLLIN };
                const char *end = memchr(monitor->heard.buf, '\n', monitor->heard.len);
                char block[4096];
                ssize_t got;

                if (end) {
                        size_t length = (size_t)(end - monitor->heard.buf);

                        *out = json_parse(monitor->heard.buf, length, "what QEMU says", NULL);
                        strbuf_consume(&monitor->heard, length + 1);
                        return *out ? 1 : -1;
                }
                if (monitor->heard.len > HEARD_MOST)
                        return -1;
                got = recv(monitor->fd, block, sizeof(block), MSG_DONTWAIT);
                if (got > 0) {
                        strbuf_add(&monitor->heard, block, (size_t)got);
                        continue;
                }
                if (got == 0 || (errno != EAGAIN && errno != EINTR))
                        return -1;
                if (deadline_passed(limit))
                        return 0;
                if (poll(&polled, 1, deadline_left(limit)) < 0 && errno != EINTR)
                        return -1;
        }
        return -1;
}

static bool is_last(const json_t *line)
{
        const char *id = json_string_value(json_object_get(line, "id"));

        return id && streq(id, LAST);
}

void monitor_status_take(struct monitor_status *status, const json_t *reply)
{
        const char *run = json_string_value(json_object_get(reply, "status"));

        if (run)
                set_string(&status->run, text_visible_dup(run));
        for (size_t i = 0; i < json_array_size(reply); i++) {
                const char *io = json_string_value(json_object_get(json_array_get(reply, i), "io-status"));

                status->full |= io && streq(io, "nospace");
        }
}

int monitor_hear(struct monitor *monitor, deadline limit, struct monitor_status *out)
{
        for (unsigned i = 0; i < LINES_MOST; i++) {
                _cleanup_(json_decrefp) json_t *line = NULL;
                int got = next_line(monitor, limit, &line);

                if (got <= 0)
                        return got;
                monitor_status_take(out, json_object_get(line, "return"));
                if (is_last(line))
                        return out->run ? 1 : -1;
        }
        return -1;
}

/* Waits for the reply, and then whether the guest stops again. */
static int await_resumed(struct monitor *monitor, deadline limit)
{
        bool told = false;

        for (unsigned i = 0; i < LINES_MOST; i++) {
                _cleanup_(json_decrefp) json_t *line = NULL;
                int got = next_line(monitor, limit, &line);
                const char *event;

                if (got <= 0)
                        return got == 0 && told ? 1 : got;
                event = json_string_value(json_object_get(line, "event"));
                if (told && event && streq(event, "STOP"))
                        return 1;
                if (is_last(line)) {
                        told = true;
                        limit = deadline_in(SETTLE_MS);
                }
        }
        return -1;
}

int monitor_resume(struct monitor *monitor, int fd, const char *run, deadline limit)
{
        const char *command = streq(run, "suspended") ? "system_wakeup" : "cont";
        _cleanup_(freep) char *text = xasprintf(AGREE "{\"execute\":\"%s\",\"id\":\"" LAST "\"}\n", command);

        say(monitor, fd, text);
        return await_resumed(monitor, limit);
}

/* --- what it means */

/* The states in which a guest stands still, beside "io-error". All others are of a guest that runs, or is about to. */
static const struct {
        const char *run, *reason;
        bool dead;
} standing[] = {
        { "paused", "somebody has stopped it by QEMU's monitor", false },
        { "suspended", "the guest has put itself to sleep", false },
        { "debug", "a debugger has stopped it", false },
        { "watchdog", "the guest's watchdog has stopped it", false },
        { "guest-panicked", "the guest's kernel has panicked", true },
        { "internal-error", "QEMU or KVM can't go on with it", true },
        { "shutdown", "the guest has shut down", true },
};

static void judge_io(const struct monitor_status *says, const char *name, const char *disk, struct vm_status *out)
{
        _cleanup_(freep) char *folder = path_folder(disk);

        out->waits = true;
        set_string(&out->reason, says->full ? xasprintf("the host's disk is full (%s)", folder)
                                            : xasprintf("the host can't read or write the VM's disk (%s)", folder));
        set_string(&out->hint, says->full ? xasprintf("make room there, and then: machine up %s", name)
                                          : xasprintf("look at that file system, and then: machine up %s", name));
}

void monitor_judge(const struct monitor_status *says, const char *name, const char *disk, struct vm_status *out)
{
        out->state = VM_RUNNING;
        if (streq(says->run, "io-error")) {
                out->state = VM_PAUSED;
                judge_io(says, name, disk, out);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(standing); i++)
                if (streq(says->run, standing[i].run)) {
                        out->state = VM_PAUSED;
                        out->waits = !standing[i].dead;
                        set_string(&out->reason, xstrdup(standing[i].reason));
                        set_string(&out->hint, xasprintf("machine %s %s", standing[i].dead ? "down" : "up", name));
                }
}

void monitor_judge_silence(const char *name, pid_t pid, struct vm_status *out)
{
        struct os_process_work work = { 0 };

        out->state = VM_UNRESPONSIVE;
        if (pid > 0 && os_process_work(pid, &work) == 0 && work.stopped) {
                out->waits = true;
                set_string(&out->reason, xasprintf("QEMU does not answer: its process %d is stopped", (int)pid));
                set_string(&out->hint, xasprintf("kill -CONT %d", (int)pid));
                return;
        }
        set_string(&out->reason,
                   pid > 0 ? xasprintf("QEMU (process %d) does not answer", (int)pid) : xstrdup("QEMU does not answer"));
        set_string(&out->hint,
                   xasprintf("try again; 'machine down %s' ends it, without what the guest has not written to its disk yet",
                             name));
}
