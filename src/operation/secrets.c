#include "operation/secrets.h"

#include <unistd.h>

#include "config/secret-source.h"
#include "config/settings.h"
#include "guest/secrets.h"
#include "host/paths.h"
#include "lib/hash.h"
#include "lib/os.h"

bool secrets_wanted(const struct project *project)
{
        return project->secret_count > 0 || project->environments.count > 0;
}

/* Returns a hash of what is named, not of the values. Owned by the caller. */
static char *mark_of(const struct project *project)
{
        struct hash hash;

        hash_init(&hash);
        for (size_t i = 0; i < project->secret_count; i++) {
                hash_add_text(&hash, project->secrets[i].name);
                hash_add_text(&hash, project->secrets[i].source);
        }
        for (size_t i = 0; i < project->environments.count; i++)
                hash_add_text(&hash, project->environments.items[i]);
        return hash_hex(&hash);
}

static int read_one(const struct project_secret *secret, int timeout_ms, struct secret *out, struct error **err)
{
        _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;
        _cleanup_(freep) char *home = paths_home(NULL);

        if (secret_source_parse(secret->source, home, &source, err) < 0)
                return -1;
        if ((source.variable ? secret_take(source.variable, out, err)
                             : secret_run(strv_argv(&source.argv), source.first_line, false, timeout_ms, out, err)) < 0)
                return error_wrap(err, "cannot get secret '%s' from %s", secret->name, source.provider);
        return 0;
}

/* Keeps only the variables that op adds: those that it gives a program and didn't get from us. */
static void keep_new(struct secret *all)
{
        size_t kept = 0;

        for (size_t at = 0; at < all->length;) {
                const char *pair = all->data + at;
                size_t length = strnlen(pair, all->length - at);
                bool ours = false;

                for (char *const *variable = environ; *variable && !ours; variable++)
                        ours = strlen(*variable) == length && memcmp(*variable, pair, length) == 0;
                if (!ours) {
                        memmove(all->data + kept, pair, length);
                        kept += length;
                        all->data[kept++] = '\0';
                }
                at += length + 1;
        }
        all->length = kept;
}

/* Source: developer.1password.com, "op run": --environment takes an Environment's ID. */
static int read_environment(const char *id, int timeout_ms, struct secret *out, struct error **err)
{
        const char *const argv[] = { "op", "run", "--no-masking", "--environment", id, "--", "env", "-0", NULL };

        if (secret_run(argv, false, true, timeout_ms, out, err) < 0)
                return error_wrap(err, "cannot get the environment '%s' from 1Password", id);
        keep_new(out);
        return 0;
}

struct values {
        struct secret *items;
        size_t count;
};

static void values_clear(struct values *values)
{
        for (size_t i = 0; i < values->count; i++)
                secret_clear(&values->items[i]);
        free(values->items);
}

static int load(const struct vm *vm, const struct project *project, int timeout_ms, const char *mark, struct error **err)
{
        size_t count = project->secret_count + project->environments.count;
        _cleanup_(values_clear) struct values values = { .items = xcalloc(count, sizeof(*values.items)), .count = count };
        struct secrets_item *items = xcalloc(count, sizeof(*items));
        _cleanup_(freep) _unused_ void *owner = items;

        for (size_t i = 0; i < count; i++) {
                bool environment = i >= project->secret_count;
                const char *id = environment ? project->environments.items[i - project->secret_count] : NULL;
                const struct project_secret *secret = environment ? NULL : &project->secrets[i];

                if ((environment ? read_environment(id, timeout_ms, &values.items[i], err)
                                 : read_one(secret, timeout_ms, &values.items[i], err)) < 0)
                        return secret ? error_wrap(err, "%s:%u:%u", project->file, secret->line, secret->column) : -1;
                items[i] = (struct secrets_item){ .environment = environment,
                                                  .name = environment ? id : secret->name,
                                                  .value = &values.items[i] };
        }
        return secrets_load(vm, items, count, mark, err);
}

int secrets_bring(struct front *front, const struct vm *vm, const struct project *project, bool anew, struct error **err)
{
        _cleanup_(settings_clear) struct settings settings = SETTINGS_INIT;
        size_t count = project->secret_count + project->environments.count;
        _cleanup_(freep) char *mark = mark_of(project);
        _cleanup_(freep) char *there = NULL;
        int status;

        if (count == 0)
                return 0;
        if (!anew && secrets_mark(vm, &there, err) < 0)
                return -1;
        if (!anew && streq(there, mark))
                return 0;
        if (settings_read(&settings, err) < 0 || secret_forbid_core(err) < 0)
                return -1;
        event_begin(front->events, "secrets", "loading %zu secret%s", count, count == 1 ? "" : "s");
        status = load(vm, project, (int)settings.secret_timeout * 1000, mark, err);
        event_end(front->events, "secrets", status < 0 ? EVENT_FAILED : EVENT_DONE, NULL);
        return status;
}

void secrets_bring_softly(struct front *front, const struct vm *vm, const struct project *project)
{
        _cleanup_(error_freep) struct error *reason = NULL;
        _cleanup_(freep) char *text = NULL;

        if (!secrets_wanted(project) || secrets_bring(front, vm, project, false, &reason) == 0)
                return;
        text = error_text(reason);
        event_warning(front->events, "VM '%s' is without its secrets: %s; to try again: machine secrets %s", vm->name, text,
                      vm->name);
}
