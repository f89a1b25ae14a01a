#include "guest/work.h"

#include "lib/text.h"

#define RECORDS_MOST      50000
#define RECORD_BYTES_MOST 8192

static void ref_clear(struct work_ref *ref)
{
        free(ref->name);
        free(ref->tip);
        strv_clear(&ref->commits);
}

static void item_clear(struct work_item *item)
{
        free(item->path);
        strv_clear(&item->ignored);
        strv_clear(&item->doing);
        strv_clear(&item->unreadable);
        for (size_t i = 0; i < item->ref_count; i++)
                ref_clear(&item->refs[i]);
        free(item->refs);
}

void work_clear(struct work *work)
{
        if (!work)
                return;
        for (size_t i = 0; i < work->count; i++)
                item_clear(&work->items[i]);
        for (size_t i = 0; i < work->safe_count; i++)
                free(work->safe[i].path);
        free(work->items);
        free(work->safe);
        strv_clear(&work->unread);
        free(work->unpacking);
        *work = (struct work)WORK_INIT;
}

/* --- the parser: each record belongs to the newest item and ref */

struct parser {
        struct work work;
        bool ended;
};

static const char *const kinds[] = { [WORK_KIND_REPO] = "repo", [WORK_KIND_FILES] = "files", [WORK_KIND_DATA] = "data" };

const char *work_kind_name(enum work_kind kind)
{
        return kinds[kind];
}

static struct work_item *last_item(struct parser *parser)
{
        return parser->work.count > 0 ? &parser->work.items[parser->work.count - 1] : NULL;
}

static struct work_ref *last_ref(struct parser *parser)
{
        struct work_item *item = last_item(parser);

        return item && item->ref_count > 0 ? &item->refs[item->ref_count - 1] : NULL;
}

/* Makes room for one more item. The list doubles, so that a long report costs no more than its length. */
static void *grown(void *items, size_t count, size_t size)
{
        if (count > 0 && (count & (count - 1)) != 0)
                return items;
        return xreallocarray(items, count > 0 ? count * 2 : 1, size);
}

static bool is_object_id(const char *text)
{
        size_t length = strspn(text, "0123456789abcdef");

        /* SHA-1 or SHA-256 */
        return text[length] == '\0' && (length == 40 || length == 64);
}

/* Takes the next word off `*text`. Returns false when there is none. */
static bool take_word(const char **text, char **out)
{
        size_t length = strcspn(*text, " ");

        if (length == 0)
                return false;
        *out = xstrndup(*text, length);
        *text += length + ((*text)[length] == ' ');
        return true;
}

static bool take_number(const char **text, int64_t most, int64_t *out)
{
        _cleanup_(freep) char *word = NULL;

        return take_word(text, &word) && text_parse_int(word, 0, most, out) == 0;
}

/* "KIND BYTES TIME PATH" */
static bool on_item(struct parser *parser, const char *value, size_t unused)
{
        struct work *work = &parser->work;
        _cleanup_(freep) char *kind = NULL;
        struct work_item item = { 0 };

        if (!take_word(&value, &kind) || !take_number(&value, INT64_MAX / 2, &item.bytes) ||
            !take_number(&value, INT64_MAX / 2, &item.time) || *value == '\0')
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (streq(kind, kinds[i])) {
                        item.kind = (enum work_kind)i;
                        item.path = xstrdup(value);
                        work->items = grown(work->items, work->count, sizeof(*work->items));
                        work->items[work->count++] = item;
                        return true;
                }
        return false;
}

static bool on_count(struct parser *parser, const char *value, size_t which)
{
        struct work_item *item = last_item(parser);

        return item && text_parse_int(value, 0, INT32_MAX, &item->counts[which]) == 0;
}

/* `which` is where the list is in struct work_item. */
static bool on_text(struct parser *parser, const char *value, size_t which)
{
        struct work_item *item = last_item(parser);

        if (!item || *value == '\0')
                return false;
        strv_add((struct strv *)((char *)item + which), value);
        return true;
}

static bool add_ref(struct work_item *item, struct work_ref *ref, const char *name)
{
        if (!item || !is_object_id(ref->tip) || *name == '\0') {
                ref_clear(ref);
                return false;
        }
        ref->name = xstrdup(name);
        item->refs = grown(item->refs, item->ref_count, sizeof(*item->refs));
        item->refs[item->ref_count++] = *ref;
        return true;
}

/* "COUNT TIP NAME" */
static bool on_ref(struct parser *parser, const char *value, size_t unused)
{
        struct work_ref ref = { 0 };

        return take_number(&value, INT32_MAX, &ref.count) && take_word(&value, &ref.tip) &&
               add_ref(last_item(parser), &ref, value);
}

/* "ID NAME" */
static bool on_object(struct parser *parser, const char *value, size_t unused)
{
        struct work_ref ref = { .object = true };

        return take_word(&value, &ref.tip) && add_ref(last_item(parser), &ref, value);
}

static bool on_commit(struct parser *parser, const char *value, size_t unused)
{
        struct work_ref *ref = last_ref(parser);

        if (!ref || !is_object_id(value) || (int64_t)ref->commits.count >= ref->count)
                return false;
        strv_add(&ref->commits, value);
        return true;
}

/* "BYTES PATH" */
static bool on_safe(struct parser *parser, const char *value, size_t unused)
{
        struct work *work = &parser->work;
        int64_t bytes;

        if (!take_number(&value, INT64_MAX / 2, &bytes) || *value == '\0')
                return false;
        work->safe = grown(work->safe, work->safe_count, sizeof(*work->safe));
        work->safe[work->safe_count++] = (struct work_safe){ .path = xstrdup(value), .bytes = bytes };
        return true;
}

static bool on_unread(struct parser *parser, const char *value, size_t unused)
{
        strv_add(&parser->work.unread, value);
        return *value != '\0';
}

static bool on_unpacking(struct parser *parser, const char *value, size_t unused)
{
        set_string(&parser->work.unpacking, xstrdup(value));
        return is_object_id(value);
}

static bool on_end(struct parser *parser, const char *value, size_t unused)
{
        parser->ended = true;
        return *value == '\0';
}

static const struct {
        const char *key;
        bool (*take)(struct parser *parser, const char *value, size_t which);
        size_t which;
} records[] = {
        { "item", on_item, 0 },
        { "files", on_count, WORK_FILES },
        { "changed", on_count, WORK_CHANGED },
        { "hidden", on_count, WORK_HIDDEN },
        { "untracked", on_count, WORK_UNTRACKED },
        { "stash", on_count, WORK_STASHES },
        { "ignored", on_text, offsetof(struct work_item, ignored) },
        { "doing", on_text, offsetof(struct work_item, doing) },
        { "unreadable", on_text, offsetof(struct work_item, unreadable) },
        { "ref", on_ref, 0 },
        { "object", on_object, 0 },
        { "commit", on_commit, 0 },
        { "safe", on_safe, 0 },
        { "unread", on_unread, 0 },
        { "unpacking", on_unpacking, 0 },
        { "end", on_end, 0 },
};

static bool take_record(struct parser *parser, const char *record)
{
        size_t key_length = strcspn(record, " ");
        const char *value = record + key_length + (record[key_length] == ' ');

        for (size_t i = 0; i < ARRAY_SIZE(records); i++)
                if (strlen(records[i].key) == key_length && strncmp(record, records[i].key, key_length) == 0)
                        return records[i].take(parser, value, records[i].which);
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
                        return error_set(err, ERROR_STEP, "the guest's report of its work makes no sense at '%s'", shown.buf);
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
                for (size_t j = 0; j < work->items[i].ref_count; j++) {
                        strv_add(&all, work->items[i].refs[j].tip);
                        strv_add_all(&all, &work->items[i].refs[j].commits);
                }
        strv_sort(&all);
        for (size_t i = 0; i < all.count; i++)
                if (i == 0 || !streq(all.items[i], all.items[i - 1]))
                        strv_add(out, all.items[i]);
}

static bool is_safe(const struct strv *sorted, const char *id)
{
        return sorted->count > 0 && bsearch(&id, sorted->items, sorted->count, sizeof(*sorted->items), compare);
}

/* Returns true when nothing of it is left. */
static bool forgive(struct work_ref *ref, const struct strv *sorted)
{
        int64_t forgiven = 0;

        if (is_safe(sorted, ref->tip))
                return true;
        for (size_t i = 0; i < ref->commits.count; i++)
                forgiven += is_safe(sorted, ref->commits.items[i]);
        /* The tip itself isn't safe, whatever the guest listed. */
        if (!ref->object)
                ref->count -= forgiven < ref->count ? forgiven : ref->count - 1;
        return !ref->object && ref->count == 0;
}

static bool has_anything(const struct work_item *item)
{
        size_t found = item->ignored.count + item->doing.count + item->unreadable.count + item->ref_count;

        for (size_t i = 0; i < WORK_COUNTS; i++)
                found += item->counts[i] > 0;
        return found > 0;
}

void work_forgive(struct work *work, const struct strv *safe)
{
        _cleanup_(strv_clear) struct strv sorted = STRV_INIT;
        size_t kept = 0;

        strv_add_all(&sorted, safe);
        strv_sort(&sorted);
        for (size_t i = 0; i < work->count; i++) {
                struct work_item *item = &work->items[i];
                size_t left = 0;

                for (size_t j = 0; j < item->ref_count; j++)
                        if (forgive(&item->refs[j], &sorted))
                                ref_clear(&item->refs[j]);
                        else
                                item->refs[left++] = item->refs[j];
                item->ref_count = left;
                if (has_anything(item))
                        work->items[kept++] = *item;
                else
                        item_clear(item);
        }
        work->count = kept;
}

bool work_any(const struct work *work)
{
        return work->count > 0 || work->unread.count > 0;
}
