#include "term/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "lib/text.h"

/*
 * Reads the next line, without its end. Returns 1, or 0 at the end of file. Reads a byte at a time, so that what follows the
 * line is left to the next reader of the terminal. Fails when the program is asked to end (interrupt.h).
 */
static int read_line(int fd, struct strbuf *line)
{
        for (;;) {
                struct pollfd polled[] = { { .fd = fd, .events = POLLIN }, { .fd = interrupt_fd(), .events = POLLIN } };
                int ready = poll(polled, ARRAY_SIZE(polled), -1);
                ssize_t got;
                char c;

                if (interrupt_pending())
                        return -1;
                got = ready < 0 ? -1 : read(fd, &c, 1);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return -1;
                if (got == 0 || c == '\n')
                        return (int)got;
                strbuf_addc(line, c);
        }
}

int prompt_yes(const char *question, const char *hint, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf asked = STRBUF_INIT;
        _cleanup_(strbuf_clear) struct strbuf answer = STRBUF_INIT;
        _cleanup_(closep) int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        int got;

        text_visible(&asked, question, strlen(question));
        if (terminal < 0) {
                error_set(err, ERROR_USAGE, "cannot ask \"%s\": there is no terminal", asked.buf);
                return hint ? error_hint(err, "%s", hint) : -1;
        }
        strbuf_adds(&asked, " [y/N] ");
        got = write_all(terminal, asked.buf, asked.len) < 0 ? -1 : read_line(terminal, &answer);
        if (got < 0 && interrupt_check(err) < 0)
                return -1;
        if (got < 0)
                return error_errno(err, ERROR_FAILED, "cannot ask on the terminal");
        if (got == 0)
                return write_all(terminal, "\n", 1) < 0 ? error_errno(err, ERROR_FAILED, "cannot ask on the terminal") : 0;
        strbuf_trim_end(&answer);
        return strcasecmp(answer.buf, "y") == 0 || strcasecmp(answer.buf, "yes") == 0;
}
