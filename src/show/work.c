#include "show/work.h"

#include "lib/text.h"

/* Names come from the guest and need not be UTF-8. */
static json_t *text_of(const char *text)
{
        _cleanup_(freep) char *visible = text_visible_dup(text);

        return json_string(visible);
}

static json_t *item_of(const struct work_item *item)
{
        _cleanup_(freep) char *what = work_item_text(item);
        json_t *out = json_object();

        json_object_set_new(out, "path", text_of(item->path));
        json_object_set_new(out, "kind", json_string(work_kind_name(item->kind)));
        json_object_set_new(out, "what", text_of(what));
        json_object_set_new(out, "bytes", json_integer(item->bytes));
        json_object_set_new(out, "time", item->time > 0 ? json_integer(item->time) : json_null());
        return out;
}

json_t *show_work(const char *name, const struct work *work)
{
        json_t *items = json_array(), *safe = json_array(), *unread = json_array();

        for (size_t i = 0; i < work->count; i++)
                json_array_append_new(items, item_of(&work->items[i]));
        for (size_t i = 0; i < work->safe_count; i++)
                json_array_append_new(safe, json_pack("{s:o, s:I}", "path", text_of(work->safe[i].path), "bytes",
                                                      (json_int_t)work->safe[i].bytes));
        for (size_t i = 0; i < work->unread.count; i++)
                json_array_append_new(unread, text_of(work->unread.items[i]));
        return json_pack("{s:s, s:s, s:o, s:o, s:o}", "event", "work", "name", name, "work", items, "safe", safe, "unread",
                         unread);
}
