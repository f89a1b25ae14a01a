/* Our own git directory, through which git sees a repository on the host. */
#include <errno.h>
#include <unistd.h>

#include "host/paths.h"
#include "host/repository.h"
#include "lib/file.h"

#define HEAD_MOST 4096

/* A folder of the repository (`from`), and the folder of the view that shows it (`to`). */
struct side {
        const char *from;
        const char *to;
};

static int link_part(const struct side *side, const char *name, struct error **err)
{
        _cleanup_(freep) char *from = path_join(side->from, name);
        _cleanup_(freep) char *to = path_join(side->to, name);

        return symlink(from, to) < 0 ? error_errno(err, ERROR_FAILED, "cannot link '%s'", to) : 0;
}

/* Links a part that is there and of the wanted kind; a symlink in its place could lead to somebody else's files. */
static int show_part(const struct side *side, const char *name, enum repository_kind wanted, struct error **err)
{
        enum repository_kind kind = repository_kind(side->from, name);

        if (kind == KIND_NOTHING)
                return 0;
        if (kind != wanted)
                return error_set(err, ERROR_CONFIG, "'%s/%s' is not a %s, and a repository may not lead git elsewhere",
                                 side->from, name, wanted == KIND_FILE ? "file" : "folder");
        return link_part(side, name, err);
}

static int write_part(const struct side *side, const char *name, const char *text, struct error **err)
{
        _cleanup_(freep) char *path = path_join(side->to, name);

        return file_write_scratch(path, text, 0600, err);
}

static int make_folder(const struct side *side, const char *name, struct error **err)
{
        _cleanup_(freep) char *path = path_join(side->to, name);

        return file_make_folders(path, 0700, err);
}

/* --- configuration */

/* Keys that say how the files are read, never what runs. */
static const char *const copied[] = {
        "core.filemode", "core.symlinks", "core.ignorecase", "core.precomposeunicode",
        "core.autocrlf", "core.eol",      "core.trustctime", "core.checkstat",
};
static const char *const values[] = {
        "true", "false", "yes", "no", "on", "off", "1", "0", "input", "lf", "crlf", "native", "default", "minimal", NULL,
};
/* Extensions of the format that change nothing about what we read, or that the view leaves out. */
static const char *const passed_over[] = {
        "noop", "noop-v1", "partialclone", "preciousobjects", "relativeworktrees", "submodulepathconfig", "worktreeconfig",
};
static const struct {
        const char *key;
        const char *values[3];
} formats[] = {
        { "extensions.objectformat", { "sha1", "sha256" } },
        { "extensions.refstorage", { "files", "reftable" } },
};

static bool is_one_of(const char *text, const char *const *list)
{
        for (; *list; list++)
                if (streq(text, *list))
                        return true;
        return false;
}

static bool is_known_extension(const char *name, size_t length)
{
        for (size_t i = 0; i < ARRAY_SIZE(passed_over); i++)
                if (strlen(passed_over[i]) == length && strncmp(name, passed_over[i], length) == 0)
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
                const char *known = formats[i].key + strlen("extensions.");

                if (strlen(known) == length && strncmp(name, known, length) == 0)
                        return true;
        }
        return false;
}

static int check_extensions(const struct repository *repository, struct error **err)
{
        for (size_t i = 0; i < repository->settings.count; i++) {
                const char *item = repository->settings.items[i];
                const char *name = item + strlen("extensions.");

                if (starts_with(item, "extensions.") && !is_known_extension(name, strcspn(name, "\n")))
                        return error_set(err, ERROR_CONFIG,
                                         "the repository '%s' has the extension '%.*s', which is not supported",
                                         repository->top, (int)strcspn(name, "\n"), name);
        }
        return 0;
}

static int add_formats(const struct repository *repository, struct strbuf *out, struct error **err)
{
        strbuf_adds(out, "[extensions]\n");
        for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
                const char *value = repository_setting(repository, formats[i].key);

                if (!value)
                        continue;
                if (!is_one_of(value, formats[i].values))
                        return error_set(err, ERROR_CONFIG, "the repository '%s' has '%s = %s', which is not supported",
                                         repository->top, formats[i].key, value);
                strbuf_addf(out, "\t%s = %s\n", formats[i].key + strlen("extensions."), value);
        }
        return 0;
}

static int write_config(const struct repository *repository, const struct side *side, struct error **err)
{
        const char *version = repository_setting(repository, "core.repositoryformatversion");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        version = version ? version : "0";
        if (!streq(version, "0") && !streq(version, "1"))
                return error_set(err, ERROR_CONFIG, "the repository '%s' has the format '%s', which is not supported",
                                 repository->top, version);
        strbuf_addf(&text, "[core]\n\trepositoryformatversion = %s\n", version);
        for (size_t i = 0; i < ARRAY_SIZE(copied); i++) {
                const char *value = repository_setting(repository, copied[i]);

                if (value && is_one_of(value, values))
                        strbuf_addf(&text, "\t%s = %s\n", copied[i] + strlen("core."), value);
        }
        /* Format 0 has no extensions. */
        if (streq(version, "1") && (check_extensions(repository, err) < 0 || add_formats(repository, &text, err) < 0))
                return -1;
        return write_part(side, "config", text.buf, err);
}

/* --- objects */

static int refuse_alternates(const struct repository *repository, struct error **err)
{
        error_set(err, ERROR_CONFIG, "'%s' has objects in another repository (objects/info/alternates)", repository->top);
        return error_hint(err, "use a clone that has all of its objects, made without --shared and --reference");
}

static bool holds_objects(const char *name)
{
        return streq(name, "pack") || (strlen(name) == 2 && strspn(name, "0123456789abcdef") == 2);
}

static int show_objects(const struct repository *repository, const struct side *common, struct error **err)
{
        _cleanup_(freep) char *from = path_join(common->from, "objects");
        _cleanup_(freep) char *to = path_join(common->to, "objects");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        const struct side side = { .from = from, .to = to };

        if (repository_kind(common->from, "objects") != KIND_FOLDER)
                return error_set(err, ERROR_CONFIG, "'%s' is not a folder", from);
        if (repository_kind(from, "info/alternates") != KIND_NOTHING)
                return refuse_alternates(repository, err);
        if (make_folder(common, "objects", err) < 0 || file_list(from, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++)
                if (holds_objects(names.items[i]) && show_part(&side, names.items[i], KIND_FOLDER, err) < 0)
                        return -1;
        return 0;
}

/* --- the rest */

static int show_head(const struct side *tree, struct error **err)
{
        _cleanup_(freep) char *path = path_join(tree->from, "HEAD");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (repository_kind(tree->from, "HEAD") != KIND_FILE)
                return error_set(err, ERROR_CONFIG, "'%s' is not a file", path);
        return file_read(path, HEAD_MOST, &text, err) < 0 ? -1 : write_part(tree, "HEAD", text.buf, err);
}

/* The index, with the shared ones that a split index needs. */
static int show_index(const struct side *tree, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (show_part(tree, "index", KIND_FILE, err) < 0 || file_list(tree->from, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++)
                if (starts_with(names.items[i], "sharedindex.") && show_part(tree, names.items[i], KIND_FILE, err) < 0)
                        return -1;
        return 0;
}

static int show_common(const struct repository *repository, const struct side *side, struct error **err)
{
        static const struct {
                const char *name;
                enum repository_kind kind;
        } parts[] = {
                { "refs", KIND_FOLDER }, { "packed-refs", KIND_FILE }, { "reftable", KIND_FOLDER },
                { "logs", KIND_FOLDER }, { "shallow", KIND_FILE },
        };

        if (make_folder(side, "info", err) < 0 || write_part(side, "info/attributes", "* -filter\n", err) < 0 ||
            write_config(repository, side, err) < 0 || show_objects(repository, side, err) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                if (show_part(side, parts[i].name, parts[i].kind, err) < 0)
                        return -1;
        /* A symlink here is not an error: patterns of names lead nowhere, and people keep this file behind a link. */
        return repository_kind(side->from, "info/exclude") == KIND_FILE ? link_part(side, "info/exclude", err) : 0;
}

/* Shows what a linked work tree has of its own. */
static int show_tree(const struct side *side, struct error **err)
{
        if (show_head(side, err) < 0 || show_index(side, err) < 0)
                return -1;
        return show_part(side, "refs", KIND_FOLDER, err) < 0 ? -1 : show_part(side, "reftable", KIND_FOLDER, err);
}

static int fill(struct repository *repository, struct error **err)
{
        _cleanup_(freep) char *common_folder = path_join(repository->nest.folder, "common");
        _cleanup_(freep) char *tree_folder = path_join(repository->nest.folder, "tree");
        const struct side common = { .from = repository->common, .to = common_folder };
        const struct side tree = { .from = repository->folder, .to = tree_folder };
        bool linked = !streq(repository->folder, repository->common);

        if (file_make_folders(common_folder, 0700, err) < 0 || show_common(repository, &common, err) < 0)
                return -1;
        if (!linked) {
                if (show_head(&common, err) < 0 || show_index(&common, err) < 0)
                        return -1;
                repository->view = TAKE_PTR(common_folder);
                return 0;
        }
        if (file_make_folders(tree_folder, 0700, err) < 0 || show_tree(&tree, err) < 0 ||
            write_part(&tree, "commondir", "../common\n", err) < 0)
                return -1;
        repository->view = TAKE_PTR(tree_folder);
        return 0;
}

int repository_view(struct repository *repository, struct error **err)
{
        _cleanup_(freep) char *runtime = NULL;

        if (repository->view)
                return 0;
        runtime = paths_runtime(err);
        if (!runtime || nest_make(runtime, "git.", &repository->nest, err) < 0)
                return -1;
        return fill(repository, err) < 0 ? error_wrap(err, "cannot read the repository of '%s'", repository->top) : 0;
}
