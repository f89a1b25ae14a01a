#include "config/checkout-tree.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/hash.h"

#define FILES_MOST 1000
#define FILE_MOST  (1 << 20)
#define BYTES_MOST (16 << 20)
#define DEPTH_MOST 8

void checkout_tree_clear(struct checkout_tree *tree)
{
        if (!tree)
                return;
        for (size_t i = 0; i < tree->count; i++) {
                free(tree->files[i].name);
                strbuf_clear(&tree->files[i].content);
        }
        free(tree->files);
        free(tree->folder);
        *tree = (struct checkout_tree)CHECKOUT_TREE_INIT;
}

static int refuse_size(const struct checkout_tree *tree, struct error **err)
{
        return error_set(err, ERROR_CONFIG, "provision.toml and profiles/ of '%s' have more than %d files or %d MiB",
                         tree->folder, FILES_MOST, BYTES_MOST >> 20);
}

static int add_file(struct checkout_tree *tree, const char *name, bool executable, struct error **err)
{
        _cleanup_(freep) char *path = path_join(tree->folder, name);
        size_t bytes = 0;

        if (tree->count >= FILES_MOST)
                return refuse_size(tree, err);
        tree->files = xreallocarray(tree->files, tree->count + 1, sizeof(*tree->files));
        tree->files[tree->count++] = (struct checkout_file){
                .name = xstrdup(name),
                .content = STRBUF_INIT,
                .executable = executable,
        };
        if (file_read(path, FILE_MOST, &tree->files[tree->count - 1].content, err) < 0)
                return -1;
        for (size_t i = 0; i < tree->count; i++)
                bytes += tree->files[i].content.len;
        return bytes > BYTES_MOST ? refuse_size(tree, err) : 0;
}

static int add_all(struct checkout_tree *tree, const char *name, int depth, struct error **err);

static int add_folder(struct checkout_tree *tree, const char *name, const char *path, int depth, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (depth >= DEPTH_MOST)
                return error_set(err, ERROR_CONFIG, "'%s' is more than %d levels of folders deep", path, DEPTH_MOST);
        if (file_list(path, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *below = path_join(name, names.items[i]);

                if (add_all(tree, below, depth + 1, err) < 0)
                        return -1;
        }
        return 0;
}

/* Adds a file, or a folder with everything in it. A missing one adds nothing. */
static int add_all(struct checkout_tree *tree, const char *name, int depth, struct error **err)
{
        _cleanup_(freep) char *path = path_join(tree->folder, name);
        struct stat status;

        if (lstat(path, &status) < 0)
                return errno == ENOENT ? 0 : error_errno(err, ERROR_FAILED, "cannot look at '%s'", path);
        if (S_ISDIR(status.st_mode))
                return add_folder(tree, name, path, depth, err);
        if (S_ISREG(status.st_mode))
                return add_file(tree, name, status.st_mode & 0111, err);
        error_set(err, ERROR_CONFIG, "'%s' is neither a file nor a folder", path);
        return error_hint(err, "put a copy there instead of a link");
}

int checkout_tree_read(const char *checkout, struct checkout_tree *out, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = { .folder = xstrdup(checkout) };

        if (add_file(&tree, CHECKOUT_FILE, false, err) < 0 || add_all(&tree, "provision.toml", 0, err) < 0 ||
            add_all(&tree, "profiles", 0, err) < 0)
                return -1;
        *out = tree;
        tree = (struct checkout_tree)CHECKOUT_TREE_INIT;
        return 0;
}

const struct checkout_file *checkout_tree_find(const struct checkout_tree *tree, const char *name)
{
        for (size_t i = 0; tree && i < tree->count; i++)
                if (streq(tree->files[i].name, name))
                        return &tree->files[i];
        return NULL;
}

void checkout_tree_content(const struct checkout_tree *tree, struct strbuf *out)
{
        for (size_t i = 0; i < tree->count; i++) {
                const struct checkout_file *file = &tree->files[i];
                _cleanup_(freep) char *hash = i > 0 ? hash_text(file->content.buf, file->content.len) : NULL;

                if (i == 0)
                        strbuf_add(out, file->content.buf, file->content.len);
                else {
                        /* A valid .machine.toml has no NUL, so no text in it passes for these lines. */
                        strbuf_addc(out, '\0');
                        strbuf_addf(out, "%s %s %s", file->executable ? "x" : "-", hash, file->name);
                }
        }
}

int checkout_tree_trust(const struct checkout_tree *tree, enum trust *out, struct error **err)
{
        _cleanup_(freep) char *file = path_join(tree->folder, CHECKOUT_FILE);
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;

        checkout_tree_content(tree, &content);
        return trust_get(file, content.buf, content.len, out, err);
}
