#include "mcp/call.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "lib/os.h"
#include "lib/process.h"
#include "mcp/protocol.h"

#define RUNNING_MOST 8
#define WAITING_MOST 56
#define LINE_MOST    (32 << 20) /* of a worker; its result is one line */
#define PIECE        (64 << 10)
/* A worker that was asked to end: until it is asked again, which ends it at once; and from then on, until it is killed. */
#define PATIENCE_MS 4000
#define REAP_MS     2000
#define WAITED_FOR  2 /* how often a worker is asked before it is killed */

struct call {
        struct server *server;
        json_t *id; /* NULL = nobody waits for the response any more */
        json_t *token;
        bool modern;
        struct batch *batch;
        const struct tool *tool;
        char *request; /* for the worker, `fed` of `length` bytes are written */
        size_t length, fed;
        pid_t pid; /* 0 = it has not begun */
        int in, out, process;
        struct loop_source *feeder, *reader, *watcher, *timer;
        struct strbuf line;
        json_t *result;
        int64_t progress; /* how often it was reported */
        unsigned asked;   /* how often its worker was asked to end */
};

static struct loop *loop_of(const struct call *call)
{
        return call->server->loop;
}

static void call_free(struct call *call)
{
        struct loop *loop = loop_of(call);

        loop_remove(loop, call->feeder);
        loop_remove(loop, call->reader);
        loop_remove(loop, call->watcher);
        loop_remove(loop, call->timer);
        closep(&call->in);
        closep(&call->out);
        closep(&call->process);
        json_decref(call->id);
        json_decref(call->token);
        json_decref(call->result);
        strbuf_clear(&call->line);
        free(call->request);
        free(call);
}

/* --- what it says */

static void answer(struct call *call, json_t *result)
{
        struct server *server = call->server;

        server_send(server, call->batch, protocol_result(call->id, call->modern, server->options->version, result));
        json_decref(call->id);
        call->id = NULL;
        call->batch = NULL;
}

static void report(struct call *call, const json_t *event)
{
        const char *text = json_string_value(json_object_get(event, "text"));

        if (!call->token || !call->id || !text)
                return;
        server_send(call->server, NULL,
                    json_pack("{s:s, s:s, s:{s:O, s:I, s:s}}", "jsonrpc", "2.0", "method", "notifications/progress", "params",
                              "progressToken", call->token, "progress", (json_int_t)++call->progress, "message", text));
}

/* The worker is this program. What can't be read is not its result. */
static void take_line(struct call *call, const char *line, size_t length)
{
        _cleanup_(json_decrefp) json_t *value = json_parse(line, length, "a worker's line", NULL);
        json_t *result = json_object_get(value, "result");

        if (result && !call->result)
                call->result = json_incref(result);
        else
                report(call, value);
}

/* Reads once. Returns whether there may be more. */
static bool read_piece(struct call *call)
{
        const char *end;
        ssize_t got;

        strbuf_reserve(&call->line, PIECE);
        got = read(call->out, call->line.buf + call->line.len, PIECE);
        if (got < 0)
                return errno == EINTR;
        if (got == 0)
                return false;
        call->line.len += (size_t)got;
        call->line.buf[call->line.len] = '\0';
        while ((end = memchr(call->line.buf, '\n', call->line.len))) {
                take_line(call, call->line.buf, (size_t)(end - call->line.buf));
                strbuf_consume(&call->line, (size_t)(end + 1 - call->line.buf));
        }
        return call->line.len <= LINE_MOST;
}

/* --- its worker */

static void on_hungry(struct loop *loop, int fd, short events, void *data)
{
        struct call *call = data;
        ssize_t written = write(fd, call->request + call->fed, call->length - call->fed);

        if (written > 0)
                call->fed += (size_t)written;
        if ((written < 0 && (errno == EAGAIN || errno == EINTR)) || (written > 0 && call->fed < call->length))
                return;
        loop_remove(loop, call->feeder);
        call->feeder = NULL;
        closep(&call->in);
        call->in = -1;
}

static void forget(struct call *call)
{
        struct server *server = call->server;
        size_t i = 0;

        while (server->calls[i] != call)
                i++;
        memmove(&server->calls[i], &server->calls[i + 1], (server->count - i - 1) * sizeof(*server->calls));
        server->count--;
        server->running -= call->pid > 0;
        server_leave_out(server, call->batch);
        call_free(call);
        call_begin_waiting(server);
        server_check_end(server);
}

/* The worker has ended. */
static void on_end(struct loop *loop, int fd, short events, void *data)
{
        struct call *call = data;
        _cleanup_(freep) char *how = NULL, *text = NULL;
        int status = 0;

        while (call->reader && read_piece(call))
                ;
        if (process_wait(call->pid, REAP_MS, &status, NULL) <= 0)
                status = 0;
        if (call->id && call->result) {
                answer(call, json_incref(call->result));
        } else if (call->id) {
                how = process_status_text(status);
                text = xasprintf("the tool '%s' ended without a result (%s); what it said is in this server's log",
                                 call->tool->name, how);
                answer(call, protocol_failure(text));
        }
        forget(call);
}

static void on_impatient(struct loop *loop, void *data);

/* Asks the worker to end, in order; the second time, at once; then kills it. It is a child of ours that was not reaped yet. */
static void ask_to_end(struct call *call)
{
        kill(call->pid, call->asked < WAITED_FOR ? SIGTERM : SIGKILL);
        call->timer = NULL;
        if (call->asked < WAITED_FOR)
                call->timer = loop_add_timer(loop_of(call), PATIENCE_MS, on_impatient, call);
        call->asked++;
}

static void on_impatient(struct loop *loop, void *data)
{
        ask_to_end(data);
}

static void on_said(struct loop *loop, int fd, short events, void *data)
{
        struct call *call = data;

        errno = 0;
        if (read_piece(call) || errno == EAGAIN)
                return;
        loop_remove(loop, call->reader);
        call->reader = NULL;
        if (call->line.len > LINE_MOST && call->asked == 0)
                ask_to_end(call);
}

static int open_pipes(struct call *call, int *its_in, int *its_out, struct error **err)
{
        int in[2], out[2];

        if (os_pipe(in) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        *its_in = in[0];
        call->in = in[1];
        if (os_pipe(out) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        call->out = out[0];
        *its_out = out[1];
        if (fcntl(call->in, F_SETFL, O_NONBLOCK) < 0 || fcntl(call->out, F_SETFL, O_NONBLOCK) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        return 0;
}

/* Without a terminal of its own, it can't ask anybody there. */
static int start_worker(struct call *call, struct error **err)
{
        _cleanup_(freep) char *program = os_program_path(err);
        const char *const argv[] = { program, "mcp-tool", call->tool->name, NULL };
        _cleanup_(closep) int its_in = -1, its_out = -1;

        if (!program || open_pipes(call, &its_in, &its_out, err) < 0 ||
            process_spawn(&(struct process_spec){ .argv = argv,
                                                  .stdin_fd = its_in,
                                                  .stdout_fd = its_out,
                                                  .stderr_fd = PROCESS_INHERIT,
                                                  .new_session = true },
                          &call->pid, err) < 0)
                return -1;
        call->server->running++;
        call->process = os_process_fd(call->pid);
        if (call->process < 0) {
                kill(call->pid, SIGKILL);
                process_wait(call->pid, REAP_MS, NULL, NULL);
                return error_errno(err, ERROR_FAILED, "cannot watch a process");
        }
        return 0;
}

static void begin(struct call *call)
{
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *text = NULL;

        if (start_worker(call, &error) < 0) {
                text = error_text(error);
                answer(call, protocol_failure(text));
                forget(call);
                return;
        }
        call->feeder = loop_add_fd(loop_of(call), call->in, POLLOUT, on_hungry, call);
        call->reader = loop_add_fd(loop_of(call), call->out, POLLIN, on_said, call);
        call->watcher = loop_add_fd(loop_of(call), call->process, POLLIN, on_end, call);
}

/* --- all of them */

static struct call *next_waiting(const struct server *server)
{
        for (size_t i = 0; i < server->count; i++)
                if (server->calls[i]->pid == 0)
                        return server->calls[i];
        return NULL;
}

void call_begin_waiting(struct server *server)
{
        struct call *call;

        while (!server->ending && server->running < RUNNING_MOST && !server_is_behind(server) && (call = next_waiting(server)))
                begin(call);
}

static json_t *worker_request(const struct server *server, const struct call_request *request)
{
        return json_pack("{s:o, s:O}", "vms", json_strings(server->options->vms), "arguments", request->arguments);
}

bool call_add(struct server *server, const struct call_request *request)
{
        _cleanup_(json_decrefp) json_t *message = NULL;
        struct call *call;

        if (server->count >= RUNNING_MOST + WAITING_MOST)
                return false;
        message = worker_request(server, request);
        call = xcalloc(1, sizeof(*call));
        *call = (struct call){ .server = server,
                               .id = json_incref((json_t *)request->id),
                               .token = json_incref((json_t *)request->token),
                               .modern = request->modern,
                               .batch = request->batch,
                               .tool = request->tool,
                               .request = json_text(message),
                               .in = -1,
                               .out = -1,
                               .process = -1,
                               .line = STRBUF_INIT };
        call->length = strlen(call->request);
        server->calls = xreallocarray(server->calls, server->count + 1, sizeof(struct call *));
        server->calls[server->count++] = call;
        call_begin_waiting(server);
        return true;
}

static struct call *find(const struct server *server, const json_t *id)
{
        for (size_t i = 0; i < server->count; i++)
                if (server->calls[i]->id && json_equal(server->calls[i]->id, id))
                        return server->calls[i];
        return NULL;
}

bool call_is_known(const struct server *server, const json_t *id)
{
        return find(server, id) != NULL;
}

/* One that has not begun is forgotten at once. */
static void stop(struct call *call)
{
        json_decref(call->id);
        call->id = NULL;
        if (call->pid == 0)
                forget(call);
        else if (call->asked == 0)
                ask_to_end(call);
}

void call_cancel(struct server *server, const json_t *id)
{
        struct call *call = find(server, id);

        if (call)
                stop(call);
}

void call_stop_all(struct server *server)
{
        for (size_t i = server->count; i-- > 0;)
                stop(server->calls[i]);
}

void call_free_all(struct server *server)
{
        for (size_t i = 0; i < server->count; i++) {
                struct call *call = server->calls[i];

                if (call->pid > 0) {
                        kill(call->pid, SIGKILL);
                        process_wait(call->pid, REAP_MS, NULL, NULL);
                }
                server_leave_out(server, call->batch);
                call_free(call);
        }
        free(server->calls);
        server->calls = NULL;
        server->count = 0;
}
