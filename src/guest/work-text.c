/* Puts what exists only in a guest into words. */
#include <time.h>

#include "guest/work.h"
#include "lib/text.h"

#define ITEMS_SHOWN 20
#define SAFE_SHOWN  5
#define NAMES_SHOWN 3
#define REFS_SHOWN  10

static const char *plural(int64_t count)
{
        return count == 1 ? "" : "s";
}

/* What each count is called, for one and for several */
static const char *const counted[WORK_COUNTS][2] = {
        [WORK_FILES] = { "file", "files" },
        [WORK_CHANGED] = { "uncommitted file", "uncommitted files" },
        [WORK_HIDDEN] = { "uncommitted file that git overlooks", "uncommitted files that git overlooks" },
        [WORK_UNTRACKED] = { "untracked file", "untracked files" },
        [WORK_STASHES] = { "stash", "stashes" },
};

/* What refs are called, by the beginning of their names */
static const struct {
        const char *prefix, *called;
} ref_kinds[] = {
        { "refs/heads/", "branch" },
        { "refs/tags/", "tag" },
        { "refs/notes/", "notes" },
};

static void add_ref(struct strv *parts, const struct work_ref *ref)
{
        const char *name = ref->name, *called = "ref";
        _cleanup_(freep) char *commits = xasprintf("%lld unpushed commit%s", (long long)ref->count, plural(ref->count));

        if (streq(name, "HEAD")) {
                strv_addf(parts, "the detached HEAD has %s", commits);
                return;
        }
        for (size_t i = 0; i < ARRAY_SIZE(ref_kinds); i++)
                if (starts_with(name, ref_kinds[i].prefix)) {
                        name += strlen(ref_kinds[i].prefix);
                        called = ref_kinds[i].called;
                        break;
                }
        if (ref->object)
                strv_addf(parts, "%s '%s' is not pushed", called, name);
        else
                strv_addf(parts, "%s '%s' %s %s", called, name, streq(called, "notes") ? "have" : "has", commits);
}

static void add_ignored(struct strv *parts, const struct strv *names)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (names->count == 0)
                return;
        strbuf_adds(&text, "ignored: ");
        for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++)
                strbuf_addf(&text, "%s%s", i > 0 ? ", " : "", names->items[i]);
        if (names->count > NAMES_SHOWN)
                strbuf_addf(&text, " and %zu more", names->count - NAMES_SHOWN);
        strv_add(parts, text.buf);
}

char *work_item_text(const struct work_item *item)
{
        _cleanup_(strv_clear) struct strv parts = STRV_INIT;

        for (size_t i = 0; i < WORK_STASHES; i++)
                if (item->counts[i] > 0)
                        strv_addf(&parts, "%lld %s", (long long)item->counts[i], counted[i][item->counts[i] != 1]);
        for (size_t i = 0; i < item->ref_count && i < REFS_SHOWN; i++)
                add_ref(&parts, &item->refs[i]);
        if (item->ref_count > REFS_SHOWN)
                strv_addf(&parts, "%zu more refs like these", item->ref_count - REFS_SHOWN);
        if (item->counts[WORK_STASHES] > 0)
                strv_addf(&parts, "%lld %s", (long long)item->counts[WORK_STASHES],
                          counted[WORK_STASHES][item->counts[WORK_STASHES] != 1]);
        strv_add_all(&parts, &item->doing);
        add_ignored(&parts, &item->ignored);
        for (size_t i = 0; i < item->unreadable.count; i++)
                strv_addf(&parts, "git could not read it: %s", item->unreadable.items[i]);
        return strv_join(&parts, ", ");
}

/* The latest first; of the same second, the largest first, then by name. */
static int compare_items(const void *a, const void *b)
{
        const struct work_item *const *first = a, *const *second = b;

        if ((*first)->time != (*second)->time)
                return (*first)->time < (*second)->time ? 1 : -1;
        if ((*first)->bytes != (*second)->bytes)
                return (*first)->bytes < (*second)->bytes ? 1 : -1;
        return strcmp((*first)->path, (*second)->path);
}

static int compare_safe(const void *a, const void *b)
{
        const struct work_safe *const *first = a, *const *second = b;

        return ((*first)->bytes < (*second)->bytes) - ((*first)->bytes > (*second)->bytes);
}

static void add_line(struct strbuf *out, const struct strbuf *line)
{
        if (out->len > 0)
                strbuf_addc(out, '\n');
        text_visible(out, line->buf, line->len);
}

static void add_item(const struct work_item *item, struct strbuf *out)
{
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;
        _cleanup_(freep) char *text = work_item_text(item);
        _cleanup_(freep) char *size = text_format_size(item->bytes);
        time_t when = (time_t)item->time;
        struct tm parts;
        char stamp[32];

        strbuf_addf(&line, "%s: %s", item->path, text);
        if (item->bytes > 0 || item->time > 0) {
                strbuf_adds(&line, " (");
                if (item->bytes > 0)
                        strbuf_adds(&line, size);
                if (item->time > 0 && localtime_r(&when, &parts) &&
                    strftime(stamp, sizeof(stamp), "%Y-%m-%d %H:%M", &parts) > 0)
                        strbuf_addf(&line, "%s%s", item->bytes > 0 ? ", " : "", stamp);
                strbuf_addc(&line, ')');
        }
        add_line(out, &line);
}

static void add_safe(const struct work *work, struct strbuf *out)
{
        const struct work_safe **sorted = xreallocarray(NULL, work->safe_count + 1, sizeof(*sorted));
        _cleanup_(freep) _unused_ void *owner = sorted;
        _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

        if (work->safe_count == 0)
                return;
        for (size_t i = 0; i < work->safe_count; i++)
                sorted[i] = &work->safe[i];
        qsort(sorted, work->safe_count, sizeof(*sorted), compare_safe);
        strbuf_adds(&line, "not counted, because it can be made again: ");
        for (size_t i = 0; i < work->safe_count && i < SAFE_SHOWN; i++) {
                _cleanup_(freep) char *size = text_format_size(sorted[i]->bytes);

                strbuf_addf(&line, "%s%s (%s)", i > 0 ? ", " : "", sorted[i]->path, size);
        }
        if (work->safe_count > SAFE_SHOWN)
                strbuf_addf(&line, " and %zu more", work->safe_count - SAFE_SHOWN);
        add_line(out, &line);
}

char *work_text(const struct work *work)
{
        const struct work_item **sorted = xreallocarray(NULL, work->count + 1, sizeof(*sorted));
        _cleanup_(freep) _unused_ void *owner = sorted;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < work->count; i++)
                sorted[i] = &work->items[i];
        if (work->count > 0)
                qsort(sorted, work->count, sizeof(*sorted), compare_items);
        for (size_t i = 0; i < work->count && i < ITEMS_SHOWN; i++)
                add_item(sorted[i], &text);
        if (work->count > ITEMS_SHOWN)
                strbuf_addf(&text, "\nand %zu more", work->count - ITEMS_SHOWN);
        for (size_t i = 0; i < work->unread.count; i++) {
                _cleanup_(strbuf_clear) struct strbuf line = STRBUF_INIT;

                strbuf_addf(&line, "could not be looked at: %s", work->unread.items[i]);
                add_line(&text, &line);
        }
        if (text.len > 0)
                add_safe(work, &text);
        return text.len > 0 ? strbuf_take(&text) : NULL;
}
