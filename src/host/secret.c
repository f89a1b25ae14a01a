#include "host/secret.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/os.h"
#include "lib/process.h"
#include "lib/strbuf.h"
#include "lib/text.h"

#define STDERR_MOST 4096
#define END_MS      5000

void secret_clear(struct secret *secret)
{
        sodium_free(secret->data);
        *secret = (struct secret)SECRET_INIT;
}

char *secret_memory(size_t length)
{
        char *data = sodium_init() < 0 ? NULL : sodium_malloc(length + 1);

        /* The same as for any other allocation that fails. */
        if (!data)
                abort();
        return data;
}

void secret_set(struct secret *out, const void *data, size_t length)
{
        secret_clear(out);
        out->data = secret_memory(length);
        memcpy(out->data, data, length);
        out->length = length;
}

int secret_forbid_core(struct error **err)
{
        return os_forbid_core() < 0 ? error_errno(err, ERROR_FAILED, "cannot turn off core dumps") : 0;
}

int secret_take(const char *variable, struct secret *out, struct error **err)
{
        const char *value = getenv(variable);

        if (!value || !*value)
                return error_set(err, ERROR_FAILED, "the variable '%s' is not set", variable);
        if (strlen(value) > SECRET_MOST)
                return error_set(err, ERROR_FAILED, "the variable '%s' has more than %d bytes", variable, SECRET_MOST);
        secret_set(out, value, strlen(value));
        return 0;
}

/* --- a program's output */

struct reader {
        pid_t pid;
        int out, err; /* our ends of its stdout and stderr; -1 = at their end */
        struct secret *secret;
        struct strbuf said;
};

/* Reads straight into locked memory: 1 = there may be more, 0 = its end, -1 = error. */
static int read_secret(struct reader *reader, struct error **err)
{
        struct secret *secret = reader->secret;
        ssize_t got = read(reader->out, secret->data + secret->length, SECRET_MOST + 1 - secret->length);

        if (got < 0)
                return errno == EINTR ? 1 : error_errno(err, ERROR_FAILED, "cannot read what it prints");
        secret->length += (size_t)got;
        if (secret->length > SECRET_MOST)
                return error_set(err, ERROR_FAILED, "it prints more than %d bytes", SECRET_MOST);
        return got > 0;
}

static int read_said(struct reader *reader)
{
        char block[512];
        ssize_t got = read(reader->err, block, sizeof(block));

        if (got > 0 && reader->said.len < STDERR_MOST)
                strbuf_add(&reader->said, block, (size_t)got);
        return got > 0 || (got < 0 && errno == EINTR);
}

static int read_all(struct reader *reader, deadline limit, struct error **err)
{
        while (reader->out >= 0 || reader->err >= 0) {
                struct pollfd fds[] = { { .fd = reader->out, .events = POLLIN },
                                        { .fd = reader->err, .events = POLLIN },
                                        { .fd = interrupt_fd(), .events = POLLIN } };
                int ready = poll(fds, ARRAY_SIZE(fds), deadline_left(limit));
                int more;

                if (ready < 0 && errno != EINTR)
                        return error_errno(err, ERROR_FAILED, "cannot wait for it");
                if (interrupt_check(err) < 0)
                        return -1;
                /* More output gains it no time. */
                if (ready == 0 || deadline_passed(limit))
                        return error_set(err, ERROR_FAILED, "it takes too long");
                if (fds[0].revents) {
                        more = read_secret(reader, err);
                        if (more < 0)
                                return -1;
                        if (more == 0)
                                reader->out = -1;
                }
                if (fds[1].revents && !read_said(reader))
                        reader->err = -1;
        }
        return 0;
}

/* Fails with the last line that the program wrote to stderr; with its status if it wrote nothing. */
static int complain(const struct reader *reader, int status, struct error **err)
{
        _cleanup_(freep) char *how = process_status_text(status);
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *visible = NULL;
        const char *last;

        strbuf_add(&said, reader->said.buf ? reader->said.buf : "", reader->said.len);
        strbuf_trim_end(&said);
        last = said.len > 0 ? strrchr(said.buf, '\n') : NULL;
        visible = text_said_dup(said.len == 0 ? how : last ? last + 1 : said.buf);
        return error_set(err, ERROR_FAILED, "%s", visible);
}

static int finish(struct reader *reader, deadline limit, struct error **err)
{
        int status;

        if (read_all(reader, limit, err) < 0)
                return -1;
        if (process_wait(reader->pid, deadline_left(limit), &status, err) != 1)
                return error_set(err, ERROR_FAILED, "it does not end");
        reader->pid = 0;
        return status == 0 ? 0 : complain(reader, status, err);
}

static int judge(struct secret *secret, bool first_line, bool raw, struct error **err)
{
        const char *end = secret->length > 0 ? memchr(secret->data, '\n', secret->length) : NULL;

        if (!raw && secret->length > 0 && memchr(secret->data, '\0', secret->length))
                return error_set(err, ERROR_FAILED, "it has a NUL byte, which no variable can have");
        if (first_line && end)
                secret->length = (size_t)(end - secret->data);
        else if (!raw && secret->length > 0 && secret->data[secret->length - 1] == '\n')
                secret->length--;
        if (secret->length == 0)
                return error_set(err, ERROR_FAILED, "it is empty");
        return 0;
}

static int run(const char *const *argv, deadline limit, struct secret *secret, struct error **err)
{
        _cleanup_(closep) int out_read = -1;
        _cleanup_(closep) int out_write = -1;
        _cleanup_(closep) int err_read = -1;
        _cleanup_(closep) int err_write = -1;
        struct reader reader = { .secret = secret, .said = STRBUF_INIT };
        int out[2], said[2];
        int status;

        if (os_pipe(out) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        out_read = out[0];
        out_write = out[1];
        if (os_pipe(said) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        err_read = said[0];
        err_write = said[1];
        if (process_spawn(&(struct process_spec){ .argv = argv,
                                                  .stdin_fd = isatty(STDIN_FILENO) ? PROCESS_INHERIT : 0,
                                                  .stdout_fd = out_write,
                                                  .stderr_fd = err_write },
                          &reader.pid, err) < 0)
                return -1;
        close(TAKE_FD(out_write));
        close(TAKE_FD(err_write));
        reader.out = out_read;
        reader.err = err_read;
        status = finish(&reader, limit, err);
        if (reader.pid > 0) {
                kill(reader.pid, SIGKILL);
                process_wait(reader.pid, END_MS, NULL, NULL);
        }
        strbuf_clear(&reader.said);
        return status;
}

int secret_run(const char *const *argv, bool first_line, bool raw, int timeout_ms, struct secret *out, struct error **err)
{
        _cleanup_(secret_clear) struct secret secret = SECRET_INIT;

        secret.data = secret_memory(SECRET_MOST + 1);
        if (run(argv, deadline_in(timeout_ms), &secret, err) < 0 || judge(&secret, first_line, raw, err) < 0)
                return -1;
        secret_clear(out);
        *out = secret;
        secret = (struct secret)SECRET_INIT;
        return 0;
}
