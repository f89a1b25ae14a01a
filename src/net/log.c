#include "net/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/strbuf.h"
#include "lib/text.h"

#define SILENT_MS  (10 * 60 * 1000)
#define BURST      50
#define PER_SECOND 5

int log_open(struct log *log, const char *path, struct error **err)
{
        _cleanup_(freep) char *old_path = NULL;
        _cleanup_(closep) int fd = -1;
        _cleanup_(closep) int old_fd = -1;

        /* Fills the cache of time zones, because no file can be opened for it later. */
        tzset();
        *log = (struct log){ .old_fd = -1, .filled = now_ms(), .tokens = BURST };
        if (!path)
                return 0;
        old_path = xasprintf("%s.1", path);
        fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", path);
        old_fd = open(old_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (old_fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot open '%s'", old_path);
        if (dup2(fd, STDERR_FILENO) < 0)
                return error_errno(err, ERROR_FAILED, "cannot redirect standard error to '%s'", path);
        log->old_fd = TAKE_FD(old_fd);
        return 0;
}

/*
 * Uses descriptors that are open already, because no path can be opened any more. If copying fails, the file is emptied all
 * the same: the newest lines count.
 */
static void turn_over(struct log *log)
{
        char buffer[16384];
        off_t offset = 0;
        ssize_t count;

        if (ftruncate(log->old_fd, 0) < 0 || lseek(log->old_fd, 0, SEEK_SET) < 0)
                return;
        while ((count = pread(STDERR_FILENO, buffer, sizeof(buffer), offset)) > 0) {
                if (write_all(log->old_fd, buffer, (size_t)count) < 0)
                        break;
                offset += count;
        }
        if (ftruncate(STDERR_FILENO, 0) < 0)
                return;
}

static void write_line(struct log *log, const char *text)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        time_t now = time(NULL);
        struct tm utc = { 0 };
        struct stat status;

        gmtime_r(&now, &utc);
        strbuf_addf(&line, "%04d-%02d-%02dT%02d:%02d:%02dZ ", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                    utc.tm_min, utc.tm_sec);
        text_visible(&line, text, strlen(text));
        strbuf_addc(&line, '\n');
        if (log->old_fd >= 0 && fstat(STDERR_FILENO, &status) == 0 && status.st_size + (off_t)line.len > LOG_MOST)
                turn_over(log);
        /* A full disk must not end the guest's network. */
        (void)write_all(STDERR_FILENO, line.buf, line.len);
}

static bool take_token(struct log *log)
{
        int64_t now = now_ms();
        int64_t earned = (now - log->filled) * PER_SECOND / 1000;

        if (earned > 0) {
                log->tokens = earned >= BURST - (int64_t)log->tokens ? BURST : log->tokens + (unsigned)earned;
                log->filled = now;
        }
        if (log->tokens == 0)
                return false;
        log->tokens--;
        return true;
}

static void put_line(struct log *log, const char *text)
{
        if (!take_token(log)) {
                log->left_out++;
                return;
        }
        if (log->left_out > 0) {
                _cleanup_(freep) char *count = xasprintf("note %lu more lines are left out", log->left_out);

                write_line(log, count);
        }
        log->left_out = 0;
        write_line(log, text);
}

void log_note(struct log *log, const char *format, ...)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        va_list args;

        strbuf_adds(&text, "note ");
        va_start(args, format);
        strbuf_vaddf(&text, format, args);
        va_end(args);
        put_line(log, text.buf);
}

static bool was_named(struct log *log, struct in_addr address, uint16_t port, uint8_t protocol)
{
        int64_t now = now_ms();
        uint32_t key = ntohl(address.s_addr) ^ (uint32_t)port << 16 ^ (uint32_t)protocol << 8;
        struct log_destination *slot = &log->remembered[(key * 2654435761u >> 16) % LOG_REMEMBERED];

        if (slot->until > now && slot->address.s_addr == address.s_addr && slot->port == port && slot->protocol == protocol)
                return true;
        *slot = (struct log_destination){ .address = address, .port = port, .protocol = protocol, .until = now + SILENT_MS };
        return false;
}

/* Remembers a name by its hash (FNV-1a), in place of an address. */
static bool was_asked(struct log *log, const char *name)
{
        uint32_t hash = 2166136261u;

        for (const char *c = name; *c; c++)
                hash = (hash ^ (unsigned char)*c) * 16777619u;
        return was_named(log, (struct in_addr){ .s_addr = hash }, 0, 0);
}

static void add_protocol(struct strbuf *out, uint8_t protocol)
{
        switch (protocol) {
        case IPPROTO_TCP:
                strbuf_adds(out, "tcp");
                break;
        case IPPROTO_UDP:
                strbuf_adds(out, "udp");
                break;
        case IPPROTO_ICMP:
                strbuf_adds(out, "icmp");
                break;
        default:
                strbuf_addf(out, "ip-%u", protocol);
        }
}

static void put_refusal(struct log *log, const struct target *target, const char *reason, const char *name)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        char address[INET_ADDRSTRLEN];

        add_protocol(&text, target->protocol);
        inet_ntop(AF_INET, &target->address, address, sizeof(address));
        strbuf_addf(&text, " %s ", address);
        if (target->port != 0)
                strbuf_addf(&text, "%u", target->port);
        else
                strbuf_addc(&text, '-');
        strbuf_addf(&text, " %s%s%s", reason, *name ? " " : "", name);
        put_line(log, text.buf);
}

void log_refused(struct log *log, const struct packet *packet, const char *reason)
{
        const struct target target = packet_target(packet);

        log_egress(log, &target, "", reason);
}

/* Each name that is refused gets a line of its own. */
void log_egress(struct log *log, const struct target *target, const char *name, const char *reason)
{
        if (*name ? !was_asked(log, name) : !was_named(log, target->address, target->port, target->protocol))
                put_refusal(log, target, reason, name);
}
