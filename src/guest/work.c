#include "guest/work.h"

#include "lib/text.h"

#define RECORDS_MOST      50000
#define RECORD_BYTES_MOST 8192
#define FILES_COUNTED     1000 /* repos-work.sh stops counting there */

static void branch_clear(struct work_branch *branch)
{
        free(branch->name);
        free(branch->tip);
        strv_clear(&branch->commits);
}

static void tree_clear(struct work_tree *tree)
{
        free(tree->path);
        for (size_t i = 0; i < tree->branch_count; i++)
                branch_clear(&tree->branches[i]);
        free(tree->branches);
}

void work_clear(struct work *work)
{
        if (!work)
                return;
        for (size_t i = 0; i < work->count; i++) {
                struct work_repo *repo = &work->repos[i];

                free(repo->name);
                strv_clear(&repo->unreadable);
                for (size_t j = 0; j < repo->tree_count; j++)
                        tree_clear(&repo->trees[j]);
                free(repo->trees);
        }
        free(work->repos);
        *work = (struct work)WORK_INIT;
}

/* The parser's state: each record belongs to the newest repo, work tree and branch. */
struct parser {
        struct work work;
        bool ended;
};

static struct work_repo *last_repo(struct parser *parser)
{
        return parser->work.count > 0 ? &parser->work.repos[parser->work.count - 1] : NULL;
}

static struct work_tree *last_tree(struct parser *parser)
{
        struct work_repo *repo = last_repo(parser);

        return repo ? &repo->trees[repo->tree_count - 1] : NULL;
}

static struct work_branch *last_branch(struct parser *parser)
{
        struct work_tree *tree = last_tree(parser);

        return tree && tree->branch_count > 0 ? &tree->branches[tree->branch_count - 1] : NULL;
}

/* Makes room for one more item. The list doubles, so that a long report costs no more than its length. */
static void *grown(void *items, size_t count, size_t size)
{
        if (count > 0 && (count & (count - 1)) != 0)
                return items;
        return xreallocarray(items, count > 0 ? count * 2 : 1, size);
}

static void add_tree(struct work_repo *repo, const char *path)
{
        repo->trees = grown(repo->trees, repo->tree_count, sizeof(*repo->trees));
        repo->trees[repo->tree_count++] = (struct work_tree){ .path = xstrdup(path) };
}

static struct work_branch *add_branch(struct work_tree *tree)
{
        tree->branches = grown(tree->branches, tree->branch_count, sizeof(*tree->branches));
        tree->branches[tree->branch_count] = (struct work_branch){ .commits = STRV_INIT };
        return &tree->branches[tree->branch_count++];
}

static bool is_commit(const char *text)
{
        size_t length = strspn(text, "0123456789abcdef");

        /* SHA-1 or SHA-256 */
        return text[length] == '\0' && (length == 40 || length == 64);
}

static bool parse_count(const char *text, int64_t *out)
{
        return text_parse_int(text, 0, INT32_MAX, out) == 0;
}

static bool on_repo(struct parser *parser, const char *value)
{
        struct work *work = &parser->work;

        work->repos = grown(work->repos, work->count, sizeof(*work->repos));
        work->repos[work->count] = (struct work_repo){ .name = xstrdup(value), .unreadable = STRV_INIT };
        add_tree(&work->repos[work->count++], NULL);
        return *value != '\0';
}

static bool on_files(struct parser *parser, const char *value)
{
        return last_repo(parser) && parse_count(value, &last_repo(parser)->files);
}

static bool on_stash(struct parser *parser, const char *value)
{
        return last_repo(parser) && parse_count(value, &last_repo(parser)->stashes);
}

static bool on_changed(struct parser *parser, const char *value)
{
        return last_tree(parser) && parse_count(value, &last_tree(parser)->changed);
}

static bool on_untracked(struct parser *parser, const char *value)
{
        return last_tree(parser) && parse_count(value, &last_tree(parser)->untracked);
}

static bool on_worktree(struct parser *parser, const char *value)
{
        if (!last_repo(parser) || *value == '\0')
                return false;
        add_tree(last_repo(parser), value);
        return true;
}

static bool on_unreadable(struct parser *parser, const char *value)
{
        if (!last_repo(parser))
                return false;
        strv_add(&last_repo(parser)->unreadable, *value ? value : "git failed");
        return true;
}

/* "COUNT TIP NAME" */
static bool on_branch(struct parser *parser, const char *value)
{
        size_t count_length = strcspn(value, " ");
        const char *tip = value + count_length + (value[count_length] == ' ');
        size_t tip_length = strcspn(tip, " ");
        const char *name = tip + tip_length + (tip[tip_length] == ' ');
        _cleanup_(freep) char *count_text = xstrndup(value, count_length);
        _cleanup_(freep) char *tip_text = xstrndup(tip, tip_length);
        struct work_branch *branch;
        int64_t count;

        if (!last_tree(parser) || !parse_count(count_text, &count) || !is_commit(tip_text) || *name == '\0')
                return false;
        branch = add_branch(last_tree(parser));
        branch->name = xstrdup(name);
        branch->tip = TAKE_PTR(tip_text);
        branch->count = count;
        return true;
}

static bool on_commit(struct parser *parser, const char *value)
{
        struct work_branch *branch = last_branch(parser);

        if (!branch || !branch->tip || !is_commit(value) || (int64_t)branch->commits.count >= branch->count)
                return false;
        strv_add(&branch->commits, value);
        return true;
}

/* "COUNT NAME" */
static bool on_submodule(struct parser *parser, const char *value)
{
        size_t count_length = strcspn(value, " ");
        _cleanup_(freep) char *count_text = xstrndup(value, count_length);
        struct work_branch *branch;
        int64_t count;

        if (!last_tree(parser) || !parse_count(count_text, &count) || value[count_length] != ' ' || !value[count_length + 1])
                return false;
        branch = add_branch(last_tree(parser));
        branch->name = xstrdup(value + count_length + 1);
        branch->count = count;
        branch->submodule = true;
        return true;
}

static bool on_end(struct parser *parser, const char *value)
{
        parser->ended = true;
        return *value == '\0';
}

static const struct {
        const char *key;
        bool (*take)(struct parser *parser, const char *value);
} records[] = {
        { "repo", on_repo },         { "files", on_files },           { "changed", on_changed }, { "untracked", on_untracked },
        { "stash", on_stash },       { "branch", on_branch },         { "commit", on_commit },   { "submodule", on_submodule },
        { "worktree", on_worktree }, { "unreadable", on_unreadable }, { "end", on_end },
};

static bool take_record(struct parser *parser, const char *record)
{
        size_t key_length = strcspn(record, " ");
        const char *value = record + key_length + (record[key_length] == ' ');

        for (size_t i = 0; i < ARRAY_SIZE(records); i++)
                if (strlen(records[i].key) == key_length && strncmp(record, records[i].key, key_length) == 0)
                        return records[i].take(parser, value);
        return false;
}

int work_parse(const char *report, size_t length, struct work *out, struct error **err)
{
        struct parser parser = { .work = WORK_INIT };

        for (size_t at = 0, count = 0; at < length; count++) {
                const char *end = memchr(report + at, '\0', length - at);
                size_t record_length = end ? (size_t)(end - (report + at)) : length - at;

                if (!end || parser.ended || count == RECORDS_MOST || record_length > RECORD_BYTES_MOST ||
                    !take_record(&parser, report + at)) {
                        _cleanup_(strbuf_clear) struct strbuf shown = STRBUF_INIT;

                        text_visible(&shown, report + at, record_length < 80 ? record_length : 80);
                        work_clear(&parser.work);
                        return error_set(err, ERROR_STEP, "the guest's report of its repos makes no sense at '%s'", shown.buf);
                }
                at += record_length + 1;
        }
        if (!parser.ended) {
                work_clear(&parser.work);
                return error_set(err, ERROR_STEP, "the guest's report of its repos is incomplete");
        }
        *out = parser.work;
        return 0;
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

void work_commits(const struct work *work, struct strv *out)
{
        _cleanup_(strv_clear) struct strv all = STRV_INIT;

        for (size_t i = 0; i < work->count; i++)
                for (size_t j = 0; j < work->repos[i].tree_count; j++) {
                        const struct work_tree *tree = &work->repos[i].trees[j];

                        for (size_t k = 0; k < tree->branch_count; k++) {
                                if (tree->branches[k].tip)
                                        strv_add(&all, tree->branches[k].tip);
                                strv_add_all(&all, &tree->branches[k].commits);
                        }
                }
        strv_sort(&all);
        for (size_t i = 0; i < all.count; i++)
                if (i == 0 || !streq(all.items[i], all.items[i - 1]))
                        strv_add(out, all.items[i]);
}

static bool is_safe(const struct strv *sorted, const char *commit)
{
        return sorted->count > 0 && bsearch(&commit, sorted->items, sorted->count, sizeof(*sorted->items), compare);
}

void work_forgive(struct work *work, const struct strv *safe)
{
        _cleanup_(strv_clear) struct strv sorted = STRV_INIT;

        strv_add_all(&sorted, safe);
        strv_sort(&sorted);
        for (size_t i = 0; i < work->count; i++)
                for (size_t j = 0; j < work->repos[i].tree_count; j++) {
                        struct work_tree *tree = &work->repos[i].trees[j];

                        for (size_t k = 0; k < tree->branch_count; k++) {
                                struct work_branch *branch = &tree->branches[k];
                                int64_t forgiven = 0;

                                if (!branch->tip)
                                        continue;
                                for (size_t c = 0; c < branch->commits.count; c++)
                                        forgiven += is_safe(&sorted, branch->commits.items[c]);
                                if (is_safe(&sorted, branch->tip))
                                        branch->count = 0;
                                else
                                        /* The tip itself isn't safe, whatever the guest listed. */
                                        branch->count -= forgiven < branch->count ? forgiven : branch->count - 1;
                        }
                }
}

static const char *plural(int64_t count)
{
        return count == 1 ? "" : "s";
}

static void add_part(struct strv *parts, int64_t count, const char *what)
{
        if (count > 0)
                strv_addf(parts, "%lld %s%s", (long long)count, what, plural(count));
}

static void tree_parts(const struct work_tree *tree, struct strv *parts)
{
        _cleanup_(strv_clear) struct strv own = STRV_INIT;

        add_part(&own, tree->changed, "uncommitted file");
        add_part(&own, tree->untracked, "untracked file");
        for (size_t i = 0; i < tree->branch_count; i++) {
                const struct work_branch *branch = &tree->branches[i];
                const char *kind = branch->submodule ? "submodule" : "branch";

                if (branch->count == 0)
                        continue;
                if (!branch->submodule && streq(branch->name, "HEAD"))
                        strv_addf(&own, "the detached HEAD has %lld unpushed commit%s", (long long)branch->count,
                                  plural(branch->count));
                else
                        strv_addf(&own, "%s '%s' has %lld unpushed commit%s", kind, branch->name, (long long)branch->count,
                                  plural(branch->count));
        }
        if (tree->path && own.count > 0) {
                _cleanup_(freep) char *joined = strv_join(&own, ", ");

                strv_addf(parts, "in the work tree '%s': %s", tree->path, joined);
        } else {
                strv_add_all(parts, &own);
        }
}

char *work_text(const struct work *work)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < work->count; i++) {
                const struct work_repo *repo = &work->repos[i];
                _cleanup_(strv_clear) struct strv parts = STRV_INIT;
                _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
                _cleanup_(freep) char *joined = NULL;

                if (repo->files > 0)
                        strv_addf(&parts, "not a git repository, %lld file%s%s", (long long)repo->files, plural(repo->files),
                                  repo->files >= FILES_COUNTED ? " or more" : "");
                for (size_t j = 0; j < repo->tree_count; j++)
                        tree_parts(&repo->trees[j], &parts);
                if (repo->stashes > 0)
                        strv_addf(&parts, "%lld stash%s", (long long)repo->stashes, repo->stashes == 1 ? "" : "es");
                for (size_t j = 0; j < repo->unreadable.count; j++)
                        strv_addf(&parts, "git could not read it: %s", repo->unreadable.items[j]);
                if (parts.count == 0)
                        continue;
                joined = strv_join(&parts, ", ");
                strbuf_addf(&line, "%s: %s", repo->name, joined);
                if (text.len > 0)
                        strbuf_addc(&text, '\n');
                text_visible(&text, line.buf, line.len);
        }
        return text.len > 0 ? strbuf_take(&text) : NULL;
}
