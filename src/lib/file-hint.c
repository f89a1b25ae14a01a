/* file_hint() and file_set_aside(): what makes a file of ours usable again, without removing anything. */
#include "lib/file.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/text.h"

static struct strv ours;

void file_set_ours(const struct strv *folders)
{
        strv_clear(&ours);
        strv_add_all(&ours, folders);
}

static bool is_ours(const char *path)
{
        for (size_t i = 0; i < ours.count; i++) {
                size_t length = strlen(ours.items[i]);

                if (strncmp(path, ours.items[i], length) == 0 && (path[length] == '\0' || path[length] == '/'))
                        return true;
        }
        return false;
}

/* The path, or the nearest folder above it that can be looked at. Owned by the caller; NULL = there is none. */
static char *find_visible(const char *path, struct stat *status)
{
        char *at = xstrdup(path);

        while (lstat(at, status) < 0) {
                if (streq(at, "/") || streq(at, ".")) {
                        free(at);
                        return NULL;
                }
                set_string(&at, path_folder(at));
        }
        return at;
}

char *file_aside_command(const char *path)
{
        _cleanup_(freep) char *aside = xasprintf("%s.off", path);
        _cleanup_(freep) char *from = text_shell_path(path);
        _cleanup_(freep) char *to = NULL;

        /* mv would replace a file of that name, and move into a folder of that name. */
        for (int number = 2; file_exists(aside); number++)
                set_string(&aside, xasprintf("%s.off-%d", path, number));
        to = text_shell_path(aside);
        return xasprintf("mv -- %s %s", from, to);
}

static int hint_move(struct error **err, const char *path)
{
        _cleanup_(freep) char *aside = file_aside_command(path);

        return error_hint(err, "%s", aside);
}

/* Returns 1 when a hint was given: the owner or the mode of what `status` is of forbids us to use it. */
static int hint_rights(struct error **err, const char *path, const struct stat *status)
{
        mode_t needed = S_ISDIR(status->st_mode) ? 0700 : 0600;
        _cleanup_(strbuf_clear) struct strbuf quoted = STRBUF_INIT;

        text_shell_quote(&quoted, path);
        if (status->st_uid != geteuid())
                error_hint(err, "sudo chown \"$(id -un)\" -- %s", quoted.buf);
        else if ((status->st_mode & needed) != needed)
                error_hint(err, "chmod u+rw%s -- %s", S_ISDIR(status->st_mode) ? "x" : "", quoted.buf);
        else
                return 0;
        return 1;
}

int file_hint(struct error **err, const char *path, int failure)
{
        _cleanup_(freep) char *at = NULL;
        struct stat status;

        if (!is_ours(path))
                return -1;
        at = find_visible(path, &status);
        if (!at || !is_ours(at))
                return -1;
        if (failure == EISDIR || failure == ENOTDIR || failure == EEXIST || failure == ENOTEMPTY || failure == ELOOP)
                return hint_move(err, at);
        if ((failure != EACCES && failure != EPERM) || hint_rights(err, at, &status))
                return -1;
        /* It is in order itself, so it is the folder that it is in. */
        set_string(&at, path_folder(at));
        if (is_ours(at) && lstat(at, &status) == 0)
                hint_rights(err, at, &status);
        return -1;
}

int file_set_aside(const char *path, char **kept, struct error **err)
{
        for (int number = 1;; number++) {
                _cleanup_(freep) char *aside =
                        number == 1 ? xasprintf("%s.damaged", path) : xasprintf("%s.damaged-%d", path, number);

                if (file_exists(aside))
                        continue;
                if (file_rename(path, aside, err) < 0)
                        return -1;
                if (kept)
                        set_string(kept, TAKE_PTR(aside));
                return 0;
        }
}
