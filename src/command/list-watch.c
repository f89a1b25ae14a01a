#include "command/list-watch.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "lib/interrupt.h"
#include "lib/text.h"
#include "operation/inventory.h"
#include "show/vm.h"
#include "term/json_line.h"

#define LOOK_MS 2000

/* They change all the time, whatever anybody does. */
static const char *const unwatched[] = { "memory_used_bytes", "disk_used_bytes" };

static bool is_watched(const char *member)
{
        for (size_t i = 0; i < ARRAY_SIZE(unwatched); i++)
                if (streq(unwatched[i], member))
                        return false;
        return true;
}

static const char *name_of(const json_t *entry)
{
        return json_string_value(json_object_get(entry, "name"));
}

static const json_t *find(const json_t *list, const char *name)
{
        const json_t *entry;
        size_t i;

        json_array_foreach (list, i, entry)
                if (streq_ptr(name_of(entry), name))
                        return entry;
        return NULL;
}

/* A member's value in words. Owned by the caller. */
static char *words(const char *member, const json_t *value)
{
        _cleanup_(strv_clear) struct strv list = STRV_INIT;
        const json_t *each;
        size_t i;

        if (json_is_string(value))
                return text_visible_dup(json_string_value(value));
        if (json_is_integer(value))
                return ends_with(member, "_bytes") ? text_format_size(json_integer_value(value))
                                                   : xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
        json_array_foreach (value, i, each)
                strv_take(&list, json_is_string(each) ? text_visible_dup(json_string_value(each)) : json_text(each));
        return list.count > 0 ? strv_join(&list, ",") : xstrdup("none");
}

static void print_change(const struct context *context, const char *name, const char *member, const json_t *from,
                         const json_t *to)
{
        time_t now = time(NULL);

        if (context->mode == OUTPUT_JSON) {
                _cleanup_(freep) char *when = text_format_time(now);
                _cleanup_(json_decrefp) json_t *change = json_pack("{s:s, s:s, s:s, s:O?, s:O?}", "time", when, "name", name,
                                                                   "what", member, "from", from, "to", to);

                json_line_print(change);
        } else {
                _cleanup_(freep) char *when = text_local_time_of(now);
                _cleanup_(freep) char *was = words(member, from), *is = words(member, to);

                printf("%s %s: %s %s -> %s\n", when, name, member, was, is);
        }
}

/* One that is new, or gone, has or had a state, and nothing else is said of it. */
static void print_changes(const struct context *context, const json_t *before, const json_t *after)
{
        const char *name = name_of(before ? before : after), *member;
        const json_t *to;

        if (!before || !after) {
                print_change(context, name, "state", json_object_get(before, "state"), json_object_get(after, "state"));
                return;
        }
        json_object_foreach ((json_t *)after, member, to) {
                const json_t *from = json_object_get(before, member);

                if (is_watched(member) && !json_equal(from, to))
                        print_change(context, name, member, from, to);
        }
}

static void compare(const struct context *context, const json_t *before, const json_t *after)
{
        const json_t *entry;
        size_t i;

        json_array_foreach (before, i, entry)
                print_changes(context, entry, find(after, name_of(entry)));
        json_array_foreach (after, i, entry)
                if (!find(before, name_of(entry)))
                        print_changes(context, NULL, entry);
}

/* Warnings were printed with the list. What becomes of a VM later is a change of its state or its reason. */
static json_t *look(struct error **err)
{
        _cleanup_(inventory_clear) struct inventory inventory = INVENTORY_INIT;
        struct front silent = { 0 };
        json_t *list;

        if (inventory_take(&silent, &inventory, err) < 0)
                return NULL;
        list = json_array();
        for (size_t i = 0; i < inventory.count; i++)
                json_array_append_new(list, show_entry(&inventory.items[i]));
        return list;
}

/* Waits for the next look. Returns false when there is to be none: after Ctrl-C, or when nobody reads any more. */
static bool wait_for_next(void)
{
        struct pollfd fds[] = { { .fd = interrupt_fd(), .events = POLLIN }, { .fd = STDOUT_FILENO } };

        /* The end of a pipe that nobody reads is reported without being asked for. */
        return poll(fds, ARRAY_SIZE(fds), LOOK_MS) <= 0 && !interrupt_pending();
}

/* Was it written? One that nobody reads is no failure, but the end. */
static int flush(struct error **err)
{
        if (fflush(stdout) == 0)
                return 0;
        if (errno != EPIPE)
                return error_errno(err, ERROR_FAILED, "cannot write to standard output");
        /* What is still in the stream goes nowhere, so that main() has nothing to fail at. */
        return freopen("/dev/null", "w", stdout) ? 1 : error_errno(err, ERROR_FAILED, "cannot open '/dev/null'");
}

int list_watch(struct context *context, json_t *before, struct error **err)
{
        _cleanup_(json_decrefp) json_t *last = before;
        int status = interrupt_catch(NULL, NULL, err) < 0 ? -1 : flush(err);

        while (status == 0 && wait_for_next()) {
                json_t *now = look(err);

                /* A look that was cut off by Ctrl-C says nothing of the VMs. */
                if (interrupt_pending()) {
                        json_decref(now);
                        break;
                }
                if (!now)
                        return -1;
                compare(context, last, now);
                json_decref(last);
                last = now;
                status = flush(err);
        }
        return status < 0 ? -1 : 0;
}
