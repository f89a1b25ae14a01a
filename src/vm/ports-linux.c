#include "vm/ports.h"

#include <ctype.h>
#include <dirent.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define TABLE_LIMIT  (16 << 20)
#define STATE_LISTEN 0x0A

/*
 * Does this address include 127.0.0.1? It is written as the kernel prints it: 32-bit words in the host's byte order, each as
 * a hexadecimal number.
 */
static bool is_in_the_way(const char *address)
{
        static const char *const addresses[] = {
                "00000000",                         /* 0.0.0.0 */
                "00000000000000000000000000000000", /* :: */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                "0100007F",                         /* 127.0.0.1 */
                "0000000000000000FFFF00000100007F", /* ::ffff:127.0.0.1 */
#else
                "7F000001",
                "00000000000000000000FFFF7F000001",
#endif
        };

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
                if (streq(address, addresses[i]))
                        return true;
        return false;
}

/* "  sl  local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode …" */
static uint64_t parse_row(const char *row, uint16_t port)
{
        char address[33];
        unsigned local;
        unsigned state;
        uint64_t inode;

        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, each with a width */
        if (sscanf(row, " %*d: %32[0-9A-F]:%4x %*[0-9A-F]:%*4x %2x %*s %*s %*s %*s %*s %20ju", address, &local, &state,
                   (uintmax_t *)&inode) != 4)
                return 0;
        return local == port && state == STATE_LISTEN && is_in_the_way(address) ? inode : 0;
}

uint64_t ports_parse_listener(const char *text, uint16_t port)
{
        while (*text) {
                size_t length = strcspn(text, "\n");
                _cleanup_(freep) char *row = xstrndup(text, length);
                uint64_t inode = parse_row(row, port);

                if (inode != 0)
                        return inode;
                text += length + (text[length] == '\n');
        }
        return 0;
}

static bool has_descriptor(const char *process, const char *wanted)
{
        _cleanup_(freep) char *folder = xasprintf("/proc/%s/fd", process);
        DIR *descriptors = opendir(folder);
        bool found = false;

        if (!descriptors)
                return false;
        for (struct dirent *entry = readdir(descriptors); entry && !found; entry = readdir(descriptors)) {
                char target[64];
                ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target));

                found = length == (ssize_t)strlen(wanted) && memcmp(target, wanted, (size_t)length) == 0;
        }
        closedir(descriptors);
        return found;
}

static char *name_process(const char *process)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%s/comm", process);
        _cleanup_(strbuf_clear) struct strbuf name = STRBUF_INIT;
        _cleanup_(freep) char *shown = NULL;

        if (file_read(path, 4096, &name, NULL) < 0)
                return xasprintf("process %s", process);
        strbuf_trim_end(&name);
        shown = text_visible_dup(name.buf);
        return xasprintf("'%s' (pid %s)", shown, process);
}

static char *name_holder(uint64_t inode)
{
        _cleanup_(freep) char *wanted = xasprintf("socket:[%ju]", (uintmax_t)inode);
        DIR *processes = opendir("/proc");
        char *holder = NULL;

        if (!processes)
                return xstrdup("another process");
        for (struct dirent *entry = readdir(processes); entry && !holder; entry = readdir(processes))
                if (isdigit((unsigned char)*entry->d_name) && has_descriptor(entry->d_name, wanted))
                        holder = name_process(entry->d_name);
        closedir(processes);
        return holder ? holder : xstrdup("another user's process");
}

char *ports_holder(uint16_t port)
{
        static const char *const tables[] = { "/proc/self/net/tcp", "/proc/self/net/tcp6" };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
                uint64_t inode;

                /* Without IPv6 there is no second table. */
                if (file_read(tables[i], TABLE_LIMIT, &text, NULL) < 0)
                        continue;
                inode = ports_parse_listener(text.buf, port);
                if (inode != 0)
                        return name_holder(inode);
        }
        return NULL;
}
