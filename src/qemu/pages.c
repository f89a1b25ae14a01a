#include "qemu/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* An entry of pagemap. Source: Documentation/admin-guide/mm/pagemap.rst. */
#define ENTRY_PRESENT (UINT64_C(1) << 63)
#define ENTRY_SWAPPED (UINT64_C(1) << 62)
#define ENTRY_OF_FILE (UINT64_C(1) << 61)

#define ENTRIES 8192 /* that are read at once */

static int open_file(pid_t pid, const char *name, int flags, int *fd, struct error **err)
{
        _cleanup_(freep) char *path = xasprintf("/proc/%d/%s", (int)pid, name);

        *fd = open(path, flags | O_CLOEXEC);
        if (*fd >= 0)
                return 0;
        return error_errno(err, errno == EACCES || errno == EPERM ? ERROR_NOT_FOUND : ERROR_ENGINE, "cannot open '%s'", path);
}

int pages_open(pid_t qemu, uint64_t address, uint64_t bytes, bool from_file, bool change, struct pages *out, struct error **err)
{
        *out = (struct pages)PAGES_INIT;
        out->address = address;
        out->bytes = bytes;
        out->from_file = from_file;
        if (open_file(qemu, "mem", change ? O_RDWR : O_RDONLY, &out->memory, err) < 0 ||
            open_file(qemu, "pagemap", O_RDONLY, &out->map, err) < 0) {
                pages_close(out);
                return -1;
        }
        return 0;
}

void pages_close(struct pages *pages)
{
        closep(&pages->memory);
        closep(&pages->map);
        *pages = (struct pages)PAGES_INIT;
}

/* A page of the file's that was only read is the file's still. */
static bool is_own(uint64_t entry)
{
        return ((entry & ENTRY_PRESENT) || (entry & ENTRY_SWAPPED)) && !(entry & ENTRY_OF_FILE);
}

static int give_run(const struct pages *pages, uint64_t from, uint64_t bytes, pages_fn call, void *data, struct error **err)
{
        for (uint64_t done = 0; done < bytes;) {
                size_t part = bytes - done < PAGES_PIECE ? (size_t)(bytes - done) : PAGES_PIECE;

                if (call(pages, from + done, part, data, err) < 0)
                        return -1;
                done += part;
        }
        return 0;
}

int pages_each(const struct pages *pages, pages_fn call, void *data, struct error **err)
{
        const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
        const uint64_t count = pages->bytes / size;
        _cleanup_(freep) uint64_t *entries = xreallocarray(NULL, ENTRIES, sizeof(*entries));
        uint64_t begun = 0;
        uint64_t run = 0; /* pages */

        for (uint64_t at = 0; at < count; at += ENTRIES) {
                size_t wanted = count - at < ENTRIES ? (size_t)(count - at) : ENTRIES;
                ssize_t got = pread(pages->map, entries, wanted * sizeof(*entries),
                                    (off_t)((pages->address / size + at) * sizeof(*entries)));

                if (got != (ssize_t)(wanted * sizeof(*entries)))
                        return error_errno(err, ERROR_ENGINE, "cannot read which pages the guest has used");
                for (size_t i = 0; i < wanted; i++) {
                        if (is_own(entries[i])) {
                                begun = run == 0 ? at + i : begun;
                                run++;
                        } else if (run > 0) {
                                if (give_run(pages, begun * size, run * size, call, data, err) < 0)
                                        return -1;
                                run = 0;
                        }
                }
        }
        return run > 0 ? give_run(pages, begun * size, run * size, call, data, err) : 0;
}

/* pread(2) and pwrite(2) of /proc/PID/mem may take less than they are given. */
int pages_read(const struct pages *pages, uint64_t from, void *data, size_t bytes, struct error **err)
{
        uint8_t *to = data;

        for (size_t done = 0; done < bytes;) {
                ssize_t got = pread(pages->memory, to + done, bytes - done, (off_t)(pages->address + from + done));

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return error_errno(err, ERROR_ENGINE, "cannot read the guest's memory");
                done += (size_t)got;
        }
        return 0;
}

int pages_write(const struct pages *pages, uint64_t from, const void *data, size_t bytes, struct error **err)
{
        const uint8_t *source = data;

        for (size_t done = 0; done < bytes;) {
                ssize_t put = pwrite(pages->memory, source + done, bytes - done, (off_t)(pages->address + from + done));

                if (put < 0 && errno == EINTR)
                        continue;
                if (put <= 0)
                        return error_errno(err, ERROR_ENGINE, "cannot write the guest's memory");
                done += (size_t)put;
        }
        return 0;
}
