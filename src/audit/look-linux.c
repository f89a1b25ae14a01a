#include "audit/look.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

#define STATUS_LIMIT  (1 << 20)
#define TABLE_LIMIT   (16 << 20)
#define STATE_LISTEN  0x0A
#define SECCOMP_LISTS "2" /* SECCOMP_MODE_FILTER */

/* Finds the line "NAME:\tVALUE" in the text of /proc/PID/status. Returns VALUE, owned by the caller, or NULL. */
static char *status_value(const char *status, const char *name)
{
        for (const char *line = status; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (starts_with(line, name) && line[strlen(name)] == ':') {
                        const char *value = line + strlen(name) + 1;

                        value += strspn(value, " \t");
                        return xstrndup(value, strcspn(value, "\n"));
                }
        return NULL;
}

/* Finds out whether the process has another namespace of this kind than we have. */
static int is_own(pid_t pid, const char *kind, bool *own, struct error **err)
{
        _cleanup_(freep) char *its = xasprintf("/proc/%d/ns/%s", (int)pid, kind);
        _cleanup_(freep) char *ours = xasprintf("/proc/self/ns/%s", kind);
        struct stat a;
        struct stat b;

        if (stat(its, &a) < 0 || stat(ours, &b) < 0)
                return error_errno(err, ERROR_FAILED, "cannot look at '%s'", its);
        *own = a.st_ino != b.st_ino;
        return 0;
}

int look_confinement(pid_t pid, struct look_confinement *out, struct error **err)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/status", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf status = STRBUF_INIT;
        _cleanup_(freep) char *seccomp = NULL;
        _cleanup_(freep) char *privileges = NULL;
        _cleanup_(freep) char *capabilities = NULL;

        if (file_read(path, STATUS_LIMIT, &status, err) < 0)
                return -1;
        seccomp = status_value(status.buf, "Seccomp");
        privileges = status_value(status.buf, "NoNewPrivs");
        capabilities = status_value(status.buf, "CapEff");
        *out = (struct look_confinement){
                .seccomp = seccomp && streq(seccomp, SECCOMP_LISTS),
                .no_new_privileges = privileges && streq(privileges, "1"),
                .no_capabilities = capabilities && strspn(capabilities, "0") == strlen(capabilities),
        };
        if (is_own(pid, "net", &out->own_network, err) < 0 || is_own(pid, "mnt", &out->own_mounts, err) < 0 ||
            is_own(pid, "pid", &out->own_processes, err) < 0)
                return -1;
        return 1;
}

/* The kernel prints an address as 32-bit words in the host's byte order, each as a hexadecimal number. */
static bool parse_address(const char *text, char *out, socklen_t size)
{
        size_t words = strlen(text) / 8;
        uint32_t address[4];

        if (strlen(text) % 8 != 0 || (words != 1 && words != 4))
                return false;
        for (size_t i = 0; i < words; i++) {
                char word[9];

                memcpy(word, text + 8 * i, 8);
                word[8] = '\0';
                address[i] = (uint32_t)strtoul(word, NULL, 16);
        }
        return inet_ntop(words == 1 ? AF_INET : AF_INET6, address, out, size) != NULL;
}

void look_parse_listeners(const char *text, struct strv *out)
{
        for (const char *row = text; *row; row += strcspn(row, "\n"), row += *row == '\n') {
                char shown[INET6_ADDRSTRLEN];
                char address[33];
                unsigned port;
                unsigned state;
                uintmax_t inode;

                /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, each with a width */
                if (sscanf(row, " %*d: %32[0-9A-F]:%4x %*[0-9A-F]:%*4x %2x %*s %*s %*s %*s %*s %20ju", address, &port, &state,
                           &inode) == 4 &&
                    state == STATE_LISTEN && parse_address(address, shown, sizeof(shown)))
                        strv_addf(out, strchr(shown, ':') ? "%ju [%s]:%u" : "%ju %s:%u", inode, shown, port);
        }
}

static int read_listeners(struct strv *out, struct error **err)
{
        static const char *const tables[] = { "/proc/self/net/tcp", "/proc/self/net/tcp6" };

        for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

                /* Without IPv6 there is no second table. */
                if (file_exists(tables[i]) && file_read(tables[i], TABLE_LIMIT, &text, err) < 0)
                        return -1;
                look_parse_listeners(text.buf, out);
        }
        return 0;
}

/* Picks the listeners whose socket is among the descriptors of the process. */
static int pick(pid_t pid, const struct strv *listeners, struct strv *out, struct error **err)
{
        _cleanup_(freep) char *folder = xasprintf("/proc/%d/fd", (int)pid);
        DIR *descriptors = opendir(folder);

        if (!descriptors)
                return error_errno(err, ERROR_FAILED, "cannot look into '%s'", folder);
        for (struct dirent *entry = readdir(descriptors); entry; entry = readdir(descriptors)) {
                char target[64];
                ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof(target) - 1);
                uintmax_t inode;

                if (length < 0)
                        continue;
                target[length] = '\0';
                /* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
                if (sscanf(target, "socket:[%20ju]", &inode) != 1)
                        continue;
                for (size_t i = 0; i < listeners->count; i++) {
                        const char *place = strchr(listeners->items[i], ' ') + 1;

                        if (strtoumax(listeners->items[i], NULL, 10) == inode && !strv_contains(out, place))
                                strv_add(out, place);
                }
        }
        closedir(descriptors);
        return 0;
}

int look_listening(const struct engine_processes *processes, struct strv *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv listeners = STRV_INIT;

        if (read_listeners(&listeners, err) < 0)
                return -1;
        for (size_t i = 0; i < processes->count; i++)
                if (pick(processes->items[i].pid, &listeners, out, err) < 0)
                        return -1;
        strv_sort(out);
        return 0;
}
