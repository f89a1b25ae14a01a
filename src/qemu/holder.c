#include "qemu/holder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

#define FDINFO_LIMIT (64 << 10)
#define STATUS_LIMIT (1 << 20)

/* "lock: 1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF" */
bool holder_parse(const char *fdinfo)
{
        for (const char *line = fdinfo; *line; line += strcspn(line, "\n"), line += *line == '\n') {
                size_t length = strcspn(line, "\n");

                if (starts_with(line, "lock:") && memmem(line, length, " FLOCK ", 7) && memmem(line, length, " WRITE ", 7))
                        return true;
        }
        return false;
}

static bool descriptor_holds(int folder, const char *process, const char *name, const char *lock)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%s/fdinfo/%s", process, name);
        _cleanup_(freep) char *target = xmalloc(strlen(lock) + 2);
        _cleanup_(strbuf_clear) struct strbuf info = STRBUF_INIT;
        ssize_t length = readlinkat(folder, name, target, strlen(lock) + 1);

        if (length != (ssize_t)strlen(lock) || memcmp(target, lock, (size_t)length) != 0)
                return false;
        return file_read(path, FDINFO_LIMIT, &info, NULL) == 0 && holder_parse(info.buf);
}

static bool process_holds(const char *process, const char *lock)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%s/fd", process);
        DIR *folder = opendir(path);
        bool holds = false;

        /* It is gone by now, or belongs to another user */
        if (!folder)
                return false;
        for (struct dirent *entry = readdir(folder); entry && !holds; entry = readdir(folder))
                holds = *entry->d_name != '.' && descriptor_holds(dirfd(folder), process, entry->d_name, lock);
        closedir(folder);
        return holds;
}

int holder_find(const char *lock, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *real = realpath(lock, NULL);
        DIR *processes;
        int64_t found = 0;

        /* Nobody holds a file that can't be there. */
        if (!real && (errno == ENOENT || errno == ENOTDIR))
                return 0;
        if (!real) {
                error_errno(err, ERROR_ENGINE, "cannot find '%s'", lock);
                return file_hint(err, lock, errno);
        }
        processes = opendir("/proc");
        if (!processes)
                return error_errno(err, ERROR_ENGINE, "cannot list the processes");
        for (struct dirent *entry = readdir(processes); entry && found == 0; entry = readdir(processes)) {
                int64_t number;

                if (text_parse_int(entry->d_name, 1, INT32_MAX, &number) == 0 && number != getpid() &&
                    process_holds(entry->d_name, real))
                        found = number;
        }
        closedir(processes);
        if (found == 0)
                return 0;
        *pid = (pid_t)found;
        return 1;
}

/* Source: proc(5), /proc/PID/status. */
pid_t holder_parent(pid_t pid)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/status", (int)pid);
        _cleanup_(strbuf_clear) struct strbuf status = STRBUF_INIT;
        const char *line = file_read(path, STATUS_LIMIT, &status, NULL) == 0 ? strstr(status.buf, "\nPPid:") : NULL;
        int parent;

        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own number */
        return line && sscanf(line, " PPid: %d", &parent) == 1 ? parent : 0;
}

int holder_find_first(const char *lock, pid_t *pid, struct error **err)
{
        _cleanup_(freep) char *real = realpath(lock, NULL);
        int found = holder_find(lock, pid, err);

        while (found > 0 && real) {
                pid_t parent = holder_parent(*pid);
                _cleanup_(freep) char *name = xasprintf("%d", (int)parent);

                if (parent <= 0 || parent == getpid() || !process_holds(name, real))
                        break;
                *pid = parent;
        }
        return found;
}
