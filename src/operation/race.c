#include "operation/race.h"

#include "lib/file.h"
#include "lib/json.h"
#include "lib/text.h"
#include "operation/snapshot.h"

#define INFIX       "-race-"
#define FILE_LIMIT  (64 << 10)
#define NAMED_MOST  8
#define STATUS_MOST 255

static void fork_clear(struct race_fork *fork)
{
        free(fork->name);
        free(fork->branch);
        free(fork->tree);
        free(fork->log);
        free(fork->trouble);
}

void race_clear(struct race *race)
{
        for (size_t i = 0; i < race->count; i++)
                fork_clear(&race->items[i]);
        free(race->items);
        free(race->name);
        *race = (struct race)RACE_INIT;
}

char *race_fork_name(const char *name, int64_t number)
{
        return xasprintf("%s" INFIX "%lld", name, (long long)number);
}

int64_t race_number_of(const char *name, const char *fork)
{
        size_t length = strlen(name);
        int64_t number;

        if (!starts_with(fork, name) || !starts_with(fork + length, INFIX) ||
            text_parse_int(fork + length + strlen(INFIX), 1, RACE_COUNT_MOST, &number) < 0)
                return 0;
        return number;
}

/* --- what is known of a run */

static json_t *end_json(const struct race_end *end)
{
        return end->known ? json_integer(end->status) : json_null();
}

int race_write(const char *folder, const struct race_fork *fork, struct error **err)
{
        _cleanup_(freep) char *path = path_join(folder, RACE_FILE);
        _cleanup_(json_decrefp) json_t *value =
                json_pack("{s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:b, s:I, s:I, s:I, s:I}", "branch", fork->branch, "tree",
                          fork->tree, "log", fork->log, "trouble", fork->trouble, "command", end_json(&fork->command), "test",
                          end_json(&fork->test), "compared", fork->compared, "files", (json_int_t)fork->diff.files, "added",
                          (json_int_t)fork->diff.added, "removed", (json_int_t)fork->diff.removed, "took_ms",
                          (json_int_t)fork->took_ms);

        if (!value)
                return error_set(err, ERROR_FAILED, "what is known of '%s' is not UTF-8", fork->name);
        return json_write(path, value, 0600, err);
}

static void read_text(const json_t *object, const char *key, char **out)
{
        const char *text;

        if (json_get_string(object, key, &text, NULL) == 0)
                set_string(out, xstrdup(text));
}

static void read_end(const json_t *object, const char *key, struct race_end *out)
{
        int64_t status;

        if (json_get_int(object, key, &status, NULL) == 0 && status >= 0 && status <= STATUS_MOST)
                *out = (struct race_end){ .known = true, .status = (int)status };
}

/* A file that can't be read is a run of which nothing is known. */
void race_read(const char *folder, struct race_fork *out)
{
        _cleanup_(freep) char *path = path_join(folder, RACE_FILE);
        _cleanup_(json_decrefp) json_t *value = json_read(path, FILE_LIMIT, NULL);

        out->took_ms = -1;
        if (!value)
                return;
        read_text(value, "branch", &out->branch);
        read_text(value, "tree", &out->tree);
        read_text(value, "log", &out->log);
        read_text(value, "trouble", &out->trouble);
        read_end(value, "command", &out->command);
        read_end(value, "test", &out->test);
        json_get_int(value, "took_ms", &out->took_ms, NULL);
        out->compared = json_is_true(json_object_get(value, "compared")) &&
                        json_get_int(value, "files", &out->diff.files, NULL) == 0 &&
                        json_get_int(value, "added", &out->diff.added, NULL) == 0 &&
                        json_get_int(value, "removed", &out->diff.removed, NULL) == 0;
}

/* --- which forks there are */

static int by_number(const void *a, const void *b)
{
        const struct race_fork *one = a, *other = b;

        return (one->number > other->number) - (one->number < other->number);
}

/* A record that can't be read says of no race. */
static bool is_of_race(const char *name, const char *fork, char **folder)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (race_number_of(name, fork) == 0 || vm_open(&vm, fork, NULL) < 0 || !vm.exists || !vm.record.race ||
            !streq_ptr(vm.record.fork_of, name))
                return false;
        *folder = xstrdup(vm.folder);
        return true;
}

int race_find(const char *name, struct race *out, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (vm_list(&names, err) < 0)
                return -1;
        out->name = xstrdup(name);
        out->items = xcalloc(names.count + 1, sizeof(*out->items));
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *folder = NULL;
                struct race_fork *fork = &out->items[out->count];

                if (!is_of_race(name, names.items[i], &folder))
                        continue;
                race_read(folder, fork);
                fork->name = xstrdup(names.items[i]);
                fork->number = race_number_of(name, names.items[i]);
                out->count++;
        }
        qsort(out->items, out->count, sizeof(*out->items), by_number);
        return 0;
}

const struct race_fork *race_choose(const struct race *race, const char *wanted, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *text = NULL;
        int64_t number;

        if (text_parse_int(wanted, 1, RACE_COUNT_MOST, &number) < 0)
                number = 0;
        for (size_t i = 0; i < race->count; i++) {
                const struct race_fork *fork = &race->items[i];

                if (fork->number == number || streq(fork->name, wanted) || streq_ptr(fork->branch, wanted))
                        return fork;
                strv_add(&names, fork->name);
        }
        text = text_first_of(&names, NAMED_MOST);
        error_set(err, ERROR_NOT_FOUND, "the race of VM '%s' has no fork '%s'", race->name, wanted);
        error_hint(err, "there are: %s", text);
        return NULL;
}

const char *race_branch(const struct race_fork *fork)
{
        return fork->branch ? fork->branch : fork->name;
}

bool race_passed(const struct race_fork *fork, bool tested)
{
        return fork->command.known && fork->command.status == 0 && (!tested || (fork->test.known && fork->test.status == 0));
}

bool race_any_passed(const struct race *race, bool tested)
{
        for (size_t i = 0; i < race->count; i++)
                if (race_passed(&race->items[i], tested))
                        return true;
        return false;
}

int race_drop_snapshots(struct vm *source, struct error **err)
{
        _cleanup_(snapshots_clear) struct snapshots snapshots = SNAPSHOTS_INIT;

        if (!source->engine->snapshot)
                return 0;
        if (snapshots_find(source, &snapshots, err) < 0)
                return -1;
        for (size_t i = 0; i < snapshots.count; i++)
                if (snapshots.items[i]->automatic && streq(snapshots.items[i]->label, RACE_LABEL) &&
                    snapshot_drop(source, snapshots.items[i], err) < 0)
                        return -1;
        return 0;
}
