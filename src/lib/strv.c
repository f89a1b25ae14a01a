#include "lib/strv.h"

void strv_clear(struct strv *list)
{
        if (!list)
                return;
        for (size_t i = 0; i < list->count; i++)
                free(list->items[i]);
        free(list->items);
        *list = (struct strv)STRV_INIT;
}

void strv_add(struct strv *list, const char *text)
{
        strv_take(list, xstrdup(text));
}

void strv_take(struct strv *list, char *text)
{
        if (list->count + 1 >= list->room) {
                list->room = list->room > 0 ? list->room * 2 : 8;
                list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
        }
        list->items[list->count++] = text;
        list->items[list->count] = NULL;
}

void strv_addf(struct strv *list, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        strv_take(list, xvasprintf(format, args));
        va_end(args);
}

void strv_adds(struct strv *list, const char *first, ...)
{
        va_list args;

        va_start(args, first);
        for (const char *text = first; text; text = va_arg(args, const char *))
                strv_add(list, text);
        va_end(args);
}

void strv_add_all(struct strv *list, const struct strv *other)
{
        size_t count = other->count; /* the list may be added to itself */

        for (size_t i = 0; i < count; i++)
                strv_add(list, other->items[i]);
}

void strv_split(struct strv *list, const char *text, const char *separators)
{
        size_t length;

        for (text += strspn(text, separators); *text; text += length + strspn(text + length, separators)) {
                length = strcspn(text, separators);
                strv_take(list, xstrndup(text, length));
        }
}

bool strv_contains(const struct strv *list, const char *text)
{
        for (size_t i = 0; i < list->count; i++)
                if (streq(list->items[i], text))
                        return true;
        return false;
}

bool strv_begins_with(const struct strv *list, const struct strv *beginning)
{
        if (list->count < beginning->count)
                return false;
        for (size_t i = 0; i < beginning->count; i++)
                if (!streq(list->items[i], beginning->items[i]))
                        return false;
        return true;
}

bool strv_equal(const struct strv *a, const struct strv *b)
{
        return a->count == b->count && strv_begins_with(a, b);
}

static int compare_texts(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_remove(struct strv *list, size_t index)
{
        free(list->items[index]);
        memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof(*list->items));
        list->count--;
}

void strv_sort(struct strv *list)
{
        if (list->count > 1)
                qsort(list->items, list->count, sizeof(*list->items), compare_texts);
}

const char *const *strv_argv(const struct strv *list)
{
        static const char *const empty[] = { NULL };

        return list->items ? (const char *const *)list->items : empty;
}

char *strv_join(const struct strv *list, const char *separator)
{
        size_t separator_length = strlen(separator);
        size_t length = 0;
        char *text;
        char *end;

        for (size_t i = 0; i < list->count; i++)
                length += strlen(list->items[i]) + separator_length;
        text = end = xmalloc(length + 1);
        for (size_t i = 0; i < list->count; i++) {
                if (i > 0)
                        end = stpcpy(end, separator);
                end = stpcpy(end, list->items[i]);
        }
        *end = '\0';
        return text;
}
