#include "guest/fetch.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/checkout.h"
#include "guest/folder.h"
#include "guest/script.h"
#include "host/git.h"
#include "lib/file.h"
#include "lib/os.h"
#include "lib/text.h"

#define FETCH_MS   (60 * 60 * 1000)
#define END_MS     60000
#define SAID_MOST  (64 << 10)
#define INPUT_MOST "8589934592" /* bytes of the pack */
#define NOTHING    "0"

struct fetching {
        const struct vm *vm;
        const struct checkout *checkout;
        const char *tip, *ref;
        char *quarantine; /* new objects are here until they were checked; NULL = there is none */
        pid_t indexer;    /* git, which takes the pack in; 0 = it doesn't run */
        char *said_path;  /* its stderr */
};

static void fetching_clear(struct fetching *fetching)
{
        if (fetching->indexer > 0)
                process_wait(fetching->indexer, END_MS, NULL, NULL);
        free(fetching->said_path);
        if (fetching->quarantine)
                file_remove(fetching->quarantine, NULL);
        free(fetching->quarantine);
}

/* Appends what git's `argv` says, run in the checkout, with `input` as its stdin. */
static int ask(const struct fetching *fetching, const struct strv *argv, const char *input, struct strbuf *out,
               struct error **err)
{
        _cleanup_(git_clear) struct git git = GIT_INIT;

        git_init(&git, fetching->checkout->repository.view);
        if (fetching->quarantine)
                git_use_quarantine(&git, fetching->quarantine);
        strv_add_all(&git.argv, argv);
        git.spec.input = input;
        git.spec.input_length = input ? strlen(input) : 0;
        git.spec.timeout_ms = FETCH_MS;
        return git_check(&git, out, err);
}

/* --- taking in the pack */

/*
 * Makes a folder that the pack waits in until it was checked, on the repository's own file system. git itself uses such names,
 * and so removes the folder one day if we are killed.
 */
static int make_quarantine(struct fetching *fetching, struct error **err)
{
        const char *common = fetching->checkout->repository.common;
        _cleanup_(freep) char *packs = NULL;

        fetching->quarantine = xasprintf("%s/objects/tmp_objdir-incoming-machine-%ld", common, (long)getpid());
        packs = path_join(fetching->quarantine, "pack");
        return file_remove(fetching->quarantine, err) < 0 ? -1 : file_make_folders(packs, 0755, err);
}

/* Moves what git made of the pack to the repository's packs. A pack counts once it has its index, so that one is the last. */
static int take_over(const struct fetching *fetching, struct error **err)
{
        _cleanup_(freep) char *from = path_join(fetching->quarantine, "pack");
        _cleanup_(freep) char *to = path_join(fetching->checkout->repository.common, "objects/pack");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_make_folders(to, 0755, err) < 0 || file_list(from, &names, err) < 0)
                return -1;
        for (int indexes = 0; indexes < 2; indexes++)
                for (size_t i = 0; i < names.count; i++) {
                        _cleanup_(freep) char *source = path_join(from, names.items[i]);
                        _cleanup_(freep) char *target = path_join(to, names.items[i]);

                        if (ends_with(names.items[i], ".idx") == (indexes == 1) && file_rename(source, target, err) < 0)
                                return -1;
                }
        return 0;
}

static int start_indexer(struct fetching *fetching, int pack_fd, struct error **err)
{
        _cleanup_(git_clear) struct git git = GIT_INIT;
        _cleanup_(closep) int said_fd = -1;

        fetching->said_path = path_join(fetching->checkout->repository.nest.folder, "indexer.err");
        said_fd = open(fetching->said_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (said_fd < 0)
                return error_errno(err, ERROR_FAILED, "cannot write '%s'", fetching->said_path);
        git_init(&git, fetching->checkout->repository.view);
        git_use_quarantine(&git, fetching->quarantine);
        strv_adds(&git.argv, "index-pack", "--stdin", "--strict", "--max-input-size=" INPUT_MOST, NULL);
        git.spec.stdin_fd = pack_fd;
        git.spec.stderr_fd = said_fd;
        return git_start(&git, &fetching->indexer, err);
}

static int end_indexer(struct fetching *fetching, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT, said = STRBUF_INIT;
        _cleanup_(freep) char *how = NULL;
        int status = 0;
        int ended = process_wait(fetching->indexer, FETCH_MS, &status, err);

        if (ended <= 0)
                return ended < 0 ? -1 : error_set(err, ERROR_FAILED, "'git index-pack' did not end");
        fetching->indexer = 0;
        if (status == 0)
                return 0;
        if (file_read(fetching->said_path, SAID_MOST, &text, NULL) == 0)
                process_quote(&said, &text);
        how = process_status_text(status);
        return error_set(err, ERROR_STEP, "git refused the guest's commits: 'git index-pack' ended with %s%s%s", how,
                         said.len > 0 ? ": " : "", said.buf);
}

/* The ids of all that the checkout's refs lead to, one a line: what the guest need not send. */
static char *list_tips(const struct checkout *checkout)
{
        _cleanup_(strbuf_clear) struct strbuf tips = STRBUF_INIT;

        for (size_t i = 0; i < checkout->refs.count; i++)
                strbuf_addf(&tips, "%.*s\n", (int)strcspn(checkout->refs.items[i], " "), checkout->refs.items[i]);
        if (checkout->head)
                strbuf_addf(&tips, "%s\n", checkout->head);
        return strbuf_take(&tips);
}

static int send_pack(const struct fetching *fetching, int out_fd, struct error **err)
{
        _cleanup_(freep) char *folder = folder_first(fetching->vm);
        _cleanup_(freep) char *tips = list_tips(fetching->checkout);
        _cleanup_(strv_clear) struct strv args = STRV_INIT;
        const struct process_spec how = {
                .input = tips, .input_length = strlen(tips), .stdout_fd = out_fd, .timeout_ms = FETCH_MS
        };

        strv_adds(&args, "pack", folder, fetching->tip, NULL);
        return script_feed(&(struct session){ .vm = fetching->vm }, "race.sh", &args, NULL, &how, NULL, err);
}

/* When git refuses the pack, the guest can't send the rest of it, so git's reason is the one that counts. */
static int take_in(struct fetching *fetching, struct error **err)
{
        _cleanup_(error_freep) struct error *sending = NULL, *taking = NULL;
        int ends[2];

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        if (start_indexer(fetching, ends[0], &taking) < 0)
                closep(&ends[0]);
        else {
                closep(&ends[0]);
                send_pack(fetching, ends[1], &sending);
        }
        closep(&ends[1]);
        if (fetching->indexer > 0)
                end_indexer(fetching, &taking);
        if (taking && !(sending && sending->kind == ERROR_INTERRUPTED))
                return error_give(err, TAKE_PTR(taking));
        return error_give(err, TAKE_PTR(sending));
}

/* --- the ref */

/* Fails unless all that the commit needs is there. */
static int check_whole(const struct fetching *fetching, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "rev-list", "--objects", "--quiet", fetching->tip, "--not", "--all", "--", NULL);
        return ask(fetching, &argv, NULL, NULL, err) < 0 ? error_wrap(err, "the guest's commits are not whole") : 0;
}

/* The number of commits that `from` has and neither `but` (NULL = nothing) nor any other ref than ours has. */
static int count(const struct fetching *fetching, const char *from, const char *but, struct strbuf *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "rev-list", "--count", from, "--not", NULL);
        if (but)
                strv_add(&argv, but);
        strv_addf(&argv, "--exclude=%s", fetching->ref);
        strv_adds(&argv, "--all", "--", NULL);
        return ask(fetching, &argv, NULL, out, err);
}

static int check_ref(const struct fetching *fetching, const char *branch, struct error **err)
{
        _cleanup_(freep) char *top = text_shell_path(fetching->checkout->repository.top);
        _cleanup_(freep) char *shown = text_shell_join((const char *const[]){ branch, NULL });
        _cleanup_(strbuf_clear) struct strbuf lost = STRBUF_INIT, id = STRBUF_INIT;
        _cleanup_(git_clear) struct git git = GIT_INIT;
        int there;

        git_init(&git, fetching->checkout->repository.view);
        strv_adds(&git.argv, "rev-parse", "--quiet", "--verify", NULL);
        strv_addf(&git.argv, "%s^{commit}", fetching->ref);
        there = git_ask(&git, &id, err);
        if (there != 0)
                return there < 0 ? -1 : 0;
        if (count(fetching, fetching->ref, fetching->tip, &lost, err) < 0)
                return -1;
        if (streq(lost.buf, NOTHING))
                return 0;
        error_set(err, ERROR_WORK, "'" FETCH_REMOTE "/%s' in '%s' has commits that nothing else has", branch,
                  fetching->checkout->repository.top);
        return error_hint(err, "git -C %s branch NAME " FETCH_REMOTE "/%s", top, shown);
}

static int set_ref(const struct fetching *fetching, struct error **err)
{
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;

        strv_adds(&argv, "update-ref", "--no-deref", "-m", "machine race", "--", fetching->ref, fetching->tip, NULL);
        return ask(fetching, &argv, NULL, NULL, err);
}

/* --- all of it */

static int fetch(struct fetching *fetching, const char *branch, int64_t *commits, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf number = STRBUF_INIT;

        if (make_quarantine(fetching, err) < 0 || take_in(fetching, err) < 0 || check_whole(fetching, err) < 0 ||
            check_ref(fetching, branch, err) < 0 || count(fetching, fetching->tip, NULL, &number, err) < 0 ||
            take_over(fetching, err) < 0 || set_ref(fetching, err) < 0)
                return -1;
        if (text_parse_int(number.buf, 0, INT64_MAX, commits) < 0)
                return error_set(err, ERROR_FAILED, "git counted '%s' commits", number.buf);
        return 0;
}

int fetch_branch(const struct vm *vm, const char *checkout, const char *branch, const char *tip, int64_t *commits,
                 struct error **err)
{
        _cleanup_(checkout_clear) struct checkout looked = CHECKOUT_INIT;
        _cleanup_(freep) char *ref = xasprintf("refs/remotes/" FETCH_REMOTE "/%s", branch);
        _cleanup_(fetching_clear) struct fetching fetching = { .vm = vm, .checkout = &looked, .tip = tip, .ref = ref };

        if (checkout_look(checkout, &looked, err) < 0 || fetch(&fetching, branch, commits, err) < 0)
                return error_wrap(err, "cannot fetch the branch '%s' of VM '%s' into '%s'", branch, vm->name, checkout);
        return 0;
}
