#include "lima/look.h"

#include <errno.h>
#include <sys/stat.h>

#include "lib/file.h"
#include "lib/os.h"
#include "lima/definition.h"
#include "lima/engine.h"
#include "lima/home.h"
#include "lima/limactl.h"

#define DEFINITION_LIMIT (1 << 20)

void look_clear(struct look *look)
{
        free(look->folder);
        free(look->disk);
        listing_clear(&look->listing);
        *look = (struct look)LOOK_INIT;
}

/* Returns 1, 0, or -1 with an error when that can't be found out. */
static int is_there(const char *path, struct error **err)
{
        struct stat status;

        if (lstat(path, &status) == 0)
                return 1;
        return errno == ENOENT || errno == ENOTDIR ? 0 : error_errno(err, ERROR_ENGINE, "cannot look at '%s'", path);
}

/* The command lines of both processes name files in the instance's folder. */
static int check_process(const struct look *look, pid_t *pid, bool *stale, struct error **err)
{
        _cleanup_(freep) char *inside = path_join(look->folder, "");
        int ours;

        if (*pid <= 0)
                return 0;
        ours = os_process_mentions(*pid, inside);
        if (ours < 0)
                return error_errno(err, ERROR_ENGINE, "cannot look at process %d", (int)*pid);
        if (!ours) {
                *stale = true;
                *pid = 0;
        }
        return 0;
}

static int judge(struct look *look, int has_disk, struct error **err)
{
        struct listing *listing = &look->listing;

        if (check_process(look, &listing->agent, &look->stale, err) < 0 ||
            check_process(look, &listing->driver, &look->stale, err) < 0)
                return -1;
        if (listing->agent > 0 && listing->driver > 0)
                look->state = LOOK_RUNNING;
        else if (listing->agent > 0 || listing->driver > 0)
                look->state = LOOK_HALF;
        else if (!has_disk)
                look->state = LOOK_REMNANT;
        else
                look->state = listing->config ? LOOK_STOPPED : LOOK_UNREADABLE;
        return 0;
}

static int look_with_lima(const struct vm *vm, const struct strbuf *list, struct look *look, struct error **err)
{
        _cleanup_(freep) char *instance = home_instance(vm->name);
        int has_disk = is_there(look->disk, err);
        int listed;

        if (has_disk < 0)
                return -1;
        listed = list ? listing_parse(list->buf, list->len, instance, &look->listing, err) : 0;
        /* Lima was only asked for others, or the instance was made since. */
        if (listed == 0)
                listed = limactl_list_one(vm->name, &look->listing, err);
        if (listed < 0)
                return -1;
        if (listed == 0) {
                /* It was removed since, or Lima overlooks the folder. */
                int there = is_there(look->folder, err);

                if (there > 0)
                        return error_set(err, ERROR_ENGINE, "Lima doesn't know what is in '%s'", look->folder);
                return there;
        }
        return judge(look, has_disk, err);
}

int look_at_listed(const struct vm *vm, const struct strbuf *list, struct look *out, struct error **err)
{
        _cleanup_(look_clear) struct look look = LOOK_INIT;
        int there;

        look.folder = home_instance_folder(vm->name);
        look.disk = path_join(look.folder, "disk");
        there = is_there(look.folder, err);
        if (there < 0 || (there > 0 && look_with_lima(vm, list, &look, err) < 0))
                return -1;
        look_clear(out);
        *out = look;
        look = (struct look)LOOK_INIT;
        return 0;
}

int look_at(const struct vm *vm, struct look *out, struct error **err)
{
        return look_at_listed(vm, NULL, out, err);
}

void look_list(struct vm_inspection *const *items, size_t count, struct strbuf *out)
{
        _cleanup_(strv_clear) struct strv instances = STRV_INIT;

        for (size_t i = 0; i < count; i++) {
                _cleanup_(freep) char *folder = home_instance_folder(items[i]->vm->name);

                /* Lima fails when one is missing. */
                if (file_exists(folder))
                        strv_take(&instances, home_instance(items[i]->vm->name));
        }
        if (instances.count > 0 && limactl_list(&instances, out, NULL) < 0)
                strbuf_reset(out);
}

bool look_is_ours(const struct look *look, const struct vm *vm)
{
        _cleanup_(freep) char *mark = definition_mark(vm->record.uuid);

        return look->listing.config && streq_ptr(json_string_value(json_object_get(look->listing.config, "message")), mark);
}

char *look_definition_path(const struct vm *vm)
{
        return path_join(vm->folder, "lima.json");
}

char *look_ready_path(const struct vm *vm)
{
        return path_join(vm->folder, "lima-ready");
}

int look_write_definition(const struct vm *vm, const struct look *look, uint16_t ssh_port, struct error **err)
{
        _cleanup_(freep) char *from = look_definition_path(vm);
        _cleanup_(freep) char *to = path_join(look->folder, "lima.yaml");
        _cleanup_(json_decrefp) json_t *definition = json_read(from, DEFINITION_LIMIT, err);

        if (!definition)
                return error_wrap(err, "cannot read the definition of VM '%s'", vm->name);
        definition_follow(definition, &vm->record);
        definition_set_ssh_port(definition, ssh_port);
        return json_write(to, definition, 0600, err);
}

/* Lima names the other pid file after what runs the guest. */
static int remove_pid_files(const struct look *look, struct error **err)
{
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        if (file_list(look->folder, &names, err) < 0)
                return -1;
        for (size_t i = 0; i < names.count; i++) {
                bool agents = streq(names.items[i], "ha.pid");
                _cleanup_(freep) char *path = path_join(look->folder, names.items[i]);

                if (ends_with(names.items[i], ".pid") && (agents ? look->listing.agent : look->listing.driver) == 0 &&
                    file_remove(path, err) < 0)
                        return -1;
        }
        return 0;
}

int look_mend(const struct vm *vm, struct look *look, struct error **err)
{
        bool unreadable = look->state >= LOOK_REMNANT && !look->listing.config;

        if (unreadable && look_write_definition(vm, look, 0, err) < 0)
                return -1;
        if (look->stale && remove_pid_files(look, err) < 0)
                return -1;
        return unreadable || look->stale ? look_at(vm, look, err) : 0;
}

/* The definition in the VM's folder, or else Lima's own copy, has the mark of the VM that the instance was made for. */
int lima_remains(const struct vm *vm, struct vm_record *out, struct error **err)
{
        static const char mark[] = "machine ";
        _cleanup_(freep) char *folder = home_instance_folder(vm->name);
        _cleanup_(freep) char *disk = path_join(folder, "disk");
        _cleanup_(freep) char *own = look_definition_path(vm);
        _cleanup_(freep) char *copy = path_join(folder, "lima.yaml");
        const char *const paths[] = { own, copy };
        int there = is_there(disk, err);

        for (size_t i = 0; there > 0 && i < ARRAY_SIZE(paths); i++) {
                _cleanup_(json_decrefp) json_t *definition = json_read(paths[i], DEFINITION_LIMIT, NULL);
                const char *message = json_string_value(json_object_get(definition, "message"));

                if (message && starts_with(message, mark) && message[strlen(mark)]) {
                        set_string(&out->uuid, xstrdup(message + strlen(mark)));
                        break;
                }
        }
        return there;
}
