#include "guest/push.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/git.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/text.h"

/* The packer's reader is gone or has everything, so all that the packer has left to do is to end. */
#define END_MS        10000
#define SHALLOW_MOST  (64 << 20)
#define ARGUMENT_MOST (8 << 10) /* bytes; a command line in the guest has at most 128 KiB */
#define SAID_MOST     (64 << 10)
#define BRANCHES      "refs/heads/"

void push_clear(struct push *push)
{
        closep(&push->pack_fd);
        if (push->packer > 0) {
                kill(push->packer, SIGKILL);
                process_wait(push->packer, END_MS, NULL, NULL);
        }
        strbuf_clear(&push->head);
        strbuf_clear(&push->refs);
        free(push->said_path);
        *push = (struct push)PUSH_INIT;
}

static int add_shallow(const struct checkout *checkout, struct strbuf *out, struct error **err)
{
        _cleanup_(freep) char *path = path_join(checkout->repository.view, "shallow");

        return file_exists(path) ? file_read(path, SHALLOW_MOST, out, err) : 0;
}

/* `ref`: "OBJECT NAME". */
static void add_ref(const char *ref, struct strbuf *lines)
{
        const char *name = strchr(ref, ' ') + 1;
        int length = (int)(name - 1 - ref);

        strbuf_addf(lines, "%.*s %s\n", length, ref, name);
        if (starts_with(name, BRANCHES))
                strbuf_addf(lines, "%.*s refs/remotes/host/%s\n", length, ref, name + strlen(BRANCHES));
}

/* A branch of this name has the ref that would record a detached HEAD's commit. */
static bool has_branch_detached(const struct checkout *checkout)
{
        for (size_t i = 0; i < checkout->refs.count; i++)
                if (streq(strchr(checkout->refs.items[i], ' ') + 1, BRANCHES "detached"))
                        return true;
        return false;
}

/* Adds the lines for the guest, and the objects that the pack must hold, one a line. */
static void add_refs(const struct checkout *checkout, struct strbuf *lines, struct strbuf *tips)
{
        for (size_t i = 0; i < checkout->refs.count; i++) {
                const char *ref = checkout->refs.items[i];

                add_ref(ref, lines);
                strbuf_addf(tips, "%.*s\n", (int)strcspn(ref, " "), ref);
        }
        if (!checkout->head || checkout->branch)
                return;
        strbuf_addf(tips, "%s\n", checkout->head);
        if (!has_branch_detached(checkout))
                strbuf_addf(lines, "%s refs/remotes/host/detached\n", checkout->head);
}

static int open_file(const char *path, int flags, struct error **err)
{
        int fd = open(path, flags | O_CLOEXEC, 0600);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot open '%s'", path) : fd;
}

static int start_packer(const struct checkout *checkout, const struct strbuf *tips, struct push *push, struct error **err)
{
        const char *nest = checkout->repository.nest.folder;
        _cleanup_(freep) char *tips_path = path_join(nest, "tips");
        _cleanup_(closep) int tips_fd = -1, said_fd = -1, out_fd = -1;
        _cleanup_(git_clear) struct git git = GIT_INIT;
        int ends[2];

        push->said_path = path_join(nest, "packer.err");
        if (file_write_scratch(tips_path, tips->buf, 0600, err) < 0)
                return -1;
        tips_fd = open_file(tips_path, O_RDONLY, err);
        said_fd = tips_fd < 0 ? -1 : open_file(push->said_path, O_WRONLY | O_CREAT | O_EXCL, err);
        if (said_fd < 0)
                return -1;
        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        push->pack_fd = ends[0];
        out_fd = ends[1];
        git_init(&git, checkout->repository.view);
        strv_adds(&git.argv, "pack-objects", "--revs", "--delta-base-offset", "--quiet", "--stdout", NULL);
        git.spec.stdin_fd = tips_fd;
        git.spec.stdout_fd = out_fd;
        git.spec.stderr_fd = said_fd;
        return git_start(&git, &push->packer, err);
}

int push_begin(const struct checkout *checkout, struct push *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf tips = STRBUF_INIT;

        out->folder = checkout->folder;
        if (add_shallow(checkout, &out->head, err) < 0)
                return -1;
        out->shallow = out->head.len;
        add_refs(checkout, &out->refs, &tips);
        if (out->refs.len > ARGUMENT_MOST) {
                strbuf_add(&out->head, out->refs.buf, out->refs.len);
                strbuf_reset(&out->refs);
        }
        return tips.len > 0 ? start_packer(checkout, &tips, out, err) : 0;
}

int push_end(struct push *push, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT, said = STRBUF_INIT;
        _cleanup_(freep) char *how = NULL;
        int status = 0;
        int ended;

        closep(&push->pack_fd);
        push->pack_fd = -1;
        ended = push->packer > 0 ? process_wait(push->packer, END_MS, &status, err) : 0;
        if (ended <= 0)
                return ended;
        push->packer = 0;
        if (status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
                return 0;
        if (file_read(push->said_path, SAID_MOST, &text, NULL) == 0)
                process_quote(&said, &text);
        how = process_status_text(status);
        return error_set(err, ERROR_FAILED, "'git pack-objects' failed in '%s' with %s%s%s", push->folder, how,
                         said.len > 0 ? ": " : "", said.buf);
}
