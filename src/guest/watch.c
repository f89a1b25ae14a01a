#include "guest/watch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <strings.h>
#include <unistd.h>

#include "guest/script.h"
#include "lib/deadline.h"
#include "lib/os.h"
#include "lib/text.h"

#define READY_MS 30000
#define END_MS   2000
/* For a guest that reports without end: records kept, bytes of a line, bytes read at a time, programs named for one rule. */
#define TOLD_MOST     2000
#define LINE_MOST     1024
#define TAKE_MOST     (256 << 10)
#define PROGRAMS_MOST 20

void watch_clear(struct watch *watch)
{
        closep(&watch->input_fd);
        closep(&watch->from_fd);
        if (watch->pid > 0 && process_wait(watch->pid, END_MS, NULL, NULL) == 0) {
                kill(watch->pid, SIGKILL);
                process_wait(watch->pid, END_MS, NULL, NULL);
        }
        for (size_t i = 0; i < watch->count; i++) {
                free(watch->told[i].program);
                free(watch->told[i].what);
        }
        free(watch->told);
        free(watch->missing);
        free(watch->failure);
        strbuf_clear(&watch->line);
        *watch = (struct watch)WATCH_INIT;
}

/* --- what it tells */

static void add_told(struct watch *watch, const char *program, const char *what)
{
        if (watch->count == TOLD_MOST)
                return;
        watch->told = xreallocarray(watch->told, watch->count + 1, sizeof(*watch->told));
        watch->told[watch->count++] = (struct watch_told){ text_visible_dup(program), text_visible_dup(what) };
}

/* A record: fields separated by tabs. */
static void add_record(struct watch *watch, char *line)
{
        char *first = strchr(line, '\t');
        char *second = first ? strchr(first + 1, '\t') : NULL;

        if (first)
                *first++ = '\0';
        if (second)
                *second++ = '\0';
        if (streq(line, "ready"))
                watch->ready = true;
        else if (streq(line, "partly") && first && !watch->missing)
                watch->missing = text_visible_dup(first);
        else if (streq(line, "failed") && first && !watch->failure)
                watch->failure = text_visible_dup(first);
        else if ((streq(line, "name") || streq(line, "connect")) && second)
                add_told(watch, first, second);
}

void watch_add(struct watch *watch, const char *text, size_t length)
{
        for (size_t i = 0; i < length; i++) {
                if (text[i] != '\n') {
                        if (watch->line.len < LINE_MOST)
                                strbuf_addc(&watch->line, text[i]);
                        continue;
                }
                /* A NUL in a line ends it early, which does no harm. */
                if (watch->line.len > 0)
                        add_record(watch, watch->line.buf);
                strbuf_reset(&watch->line);
        }
}

void watch_take(struct watch *watch)
{
        char block[4096];

        for (size_t taken = 0; watch->from_fd >= 0 && taken < TAKE_MOST;) {
                ssize_t got = read(watch->from_fd, block, sizeof(block));

                if (got < 0)
                        return;
                watch_add(watch, block, (size_t)got);
                taken += (size_t)got;
                if (got == 0)
                        close(TAKE_FD(watch->from_fd));
        }
}

void watch_programs(const struct watch *watch, const char *name, const char *address, int64_t port, struct strv *out)
{
        _cleanup_(freep) char *place = address ? xasprintf("%s:%jd", address, (intmax_t)port) : NULL;

        for (size_t i = 0; i < watch->count && out->count < PROGRAMS_MOST; i++) {
                const struct watch_told *told = &watch->told[i];

                if (((name && strcasecmp(told->what, name) == 0) || (place && streq(told->what, place))) &&
                    !strv_contains(out, told->program))
                        strv_add(out, told->program);
        }
}

/* --- the session */

/* ssh runs in a session of its own, so that a Ctrl-C that ends the watching reaches only us. */
static int start(const struct vm *vm, struct watch *watch, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf remote = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        int input[2];
        int output[2];
        int done;

        if (script_command("watch.sh", NULL, &remote, err) < 0)
                return -1;
        if (os_pipe(input) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        watch->input_fd = input[1];
        if (os_pipe(output) < 0) {
                close(input[0]);
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        }
        watch->from_fd = output[0];
        session_argv(&(struct session){ .vm = vm }, remote.buf, &argv);
        done = process_spawn(&(struct process_spec){ .argv = strv_argv(&argv),
                                                     .stdin_fd = input[0],
                                                     .stdout_fd = output[1],
                                                     .new_session = true },
                             &watch->pid, err);
        close(input[0]);
        close(output[1]);
        if (done == 0 && fcntl(watch->from_fd, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read from ssh");
        return done;
}

/* Waits for more, and takes it. Returns false when no more comes, or the limit has passed. */
static bool wait_for_more(struct watch *watch, deadline limit)
{
        if (watch->from_fd < 0 || deadline_passed(limit))
                return false;
        poll(&(struct pollfd){ .fd = watch->from_fd, .events = POLLIN }, 1, deadline_left(limit));
        watch_take(watch);
        return true;
}

void watch_end(struct watch *watch)
{
        deadline limit = deadline_in(END_MS);

        closep(&watch->input_fd);
        watch->input_fd = -1;
        while (wait_for_more(watch, limit))
                ;
}

int watch_begin(const struct vm *vm, struct watch *out, struct error **err)
{
        deadline limit = deadline_in(READY_MS);

        if (start(vm, out, err) < 0)
                return -1;
        while (!out->ready && !out->failure && wait_for_more(out, limit))
                ;
        if (out->ready)
                return 0;
        return error_set(err, ERROR_STEP, "VM '%s' can't tell which programs reach out: %s", vm->name,
                         out->failure ? out->failure : "it doesn't answer");
}
