#include "operation/logs.h"

#include <sys/stat.h>

#include "lib/file.h"
#include "lib/strv.h"
#include "lib/text.h"

#define CONSOLE "console"
#define ENDING  ".log"

void logs_clear(struct logs *logs)
{
        for (size_t i = 0; i < logs->count; i++) {
                free(logs->items[i].name);
                free(logs->items[i].path);
        }
        free(logs->items);
        *logs = (struct logs)LOGS_INIT;
}

const struct log_file *logs_get(const struct logs *logs, const char *name)
{
        for (size_t i = 0; i < logs->count; i++)
                if (streq(logs->items[i].name, name))
                        return &logs->items[i];
        return NULL;
}

char *logs_names(const struct logs *logs)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        for (size_t i = 0; i < logs->count; i++)
                strbuf_addf(&text, "%s%s", i > 0 ? ", " : "", logs->items[i].name);
        return strbuf_take(&text);
}

/* Takes ownership of `path`. Leaves out anything but a file, and a second file of the same name. */
static void add(struct logs *logs, const char *name, char *path)
{
        struct stat status;

        if (lstat(path, &status) < 0 || !S_ISREG(status.st_mode) || logs_get(logs, name)) {
                free(path);
                return;
        }
        logs->items = xreallocarray(logs->items, logs->count + 1, sizeof(*logs->items));
        logs->items[logs->count++] = (struct log_file){ .name = xstrdup(name), .path = path, .bytes = (int64_t)status.st_size };
}

static int order(const void *a, const void *b)
{
        const struct log_file *left = a;
        const struct log_file *right = b;
        int consoles = (int)streq(right->name, CONSOLE) - (int)streq(left->name, CONSOLE);

        return consoles != 0 ? consoles : strcmp(left->name, right->name);
}

int logs_find(const struct vm *vm, struct logs *out, struct error **err)
{
        _cleanup_(freep) char *folder = path_join(vm->folder, "logs");
        _cleanup_(freep) char *elsewhere = vm->engine->logs ? vm->engine->folder(vm) : NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        for (const struct engine_log *log = vm->engine->logs; log && log->name; log++)
                add(out, log->name, path_join(elsewhere, log->file));
        if (file_exists(folder) && file_list(folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *name = ends_with(names.items[i], ENDING)
                                                      ? xstrndup(names.items[i], strlen(names.items[i]) - strlen(ENDING))
                                                      : NULL;

                if (name && *name)
                        add(out, name, path_join(folder, names.items[i]));
        }
        if (out->count > 0)
                qsort(out->items, out->count, sizeof(*out->items), order);
        return 0;
}
