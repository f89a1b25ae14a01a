#include "audit/search.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"

#define PIECE      (1 << 20) /* bytes read at once */
#define DEPTH_MOST 16        /* of nested folders */

/* Searches from `start` to `end`. A piece begins with the end of the one before, since the secret may begin there. Returns 1
 * when it is found. */
static int search_data(int fd, off_t start, off_t end, char *piece, struct search *search)
{
        size_t kept = 0;

        while (start < end) {
                size_t wanted = (size_t)(end - start) < PIECE - kept ? (size_t)(end - start) : PIECE - kept;
                ssize_t count = pread(fd, piece + kept, wanted, start);

                if (count < 0 && errno == EINTR)
                        continue;
                if (count <= 0)
                        return (int)count;
                start += count;
                search->bytes += count;
                kept += (size_t)count;
                if (memmem(piece, kept, search->wanted->data, search->wanted->length))
                        return 1;
                if (kept >= search->wanted->length) {
                        memmove(piece, piece + kept - (search->wanted->length - 1), search->wanted->length - 1);
                        kept = search->wanted->length - 1;
                }
        }
        return 0;
}

/* Leaves holes out, which are most of a disk. */
static int search_file(const char *path, struct search *search, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        _cleanup_(freep) char *piece = xcalloc(1, PIECE);
        off_t end = 0;
        int status = 0;

        while (fd >= 0 && status == 0) {
                off_t start = lseek(fd, end, SEEK_DATA);

                if (start < 0 && errno == ENXIO)
                        return 0;
                end = start < 0 ? start : lseek(fd, start, SEEK_HOLE);
                status = end < 0 ? -1 : search_data(fd, start, end, piece, search);
        }
        if (status > 0)
                search->found = xstrdup(path);
        /* A file that was there a moment ago, such as a temporary one, may be gone. */
        if (status > 0 || (fd < 0 && errno == ENOENT))
                return 0;
        return error_errno(err, ERROR_FAILED, "cannot look into '%s'", path);
}

static int search_below(const char *folder, int depth, struct search *search, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (depth > DEPTH_MOST)
                return error_set(err, ERROR_FAILED, "folders are nested too deep in '%s'", folder);
        if (!file_is_folder(folder))
                return 0;
        if (file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count && !search->found; i++) {
                _cleanup_(freep) char *path = path_join(folder, names.items[i]);
                struct stat status;

                if (lstat(path, &status) < 0)
                        continue;
                if (S_ISDIR(status.st_mode) ? search_below(path, depth + 1, search, err) < 0
                                            : S_ISREG(status.st_mode) && search_file(path, search, err) < 0)
                        return -1;
        }
        return 0;
}

int search_folder(const char *folder, struct search *search, struct error **err)
{
        return search_below(folder, 0, search, err);
}
