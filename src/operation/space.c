#include "operation/space.h"

#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"
#include "lib/usage.h"

void space_clear(struct space *space)
{
        for (size_t i = 0; i < space->vm_count; i++)
                free(space->vms[i].removed_by);
        for (size_t i = 0; i < space->place_count; i++) {
                free(space->places[i].path);
                free(space->places[i].removed_by);
        }
        free(space->vms);
        free(space->layers);
        free(space->places);
        inventory_clear(&space->inventory);
        stock_clear(&space->stock);
        *space = (struct space)SPACE_INIT;
}

/* Sorts by the number that each item begins with. */
static int larger(const void *a, const void *b)
{
        int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;

        return first < second ? 1 : first > second ? -1 : 0;
}

/* --- VMs */

/* Engines keep disks and logs in the VM's folder, or in one of their own. Without a record it isn't known which engine it is.
 */
static void add_engines_files(const struct vm *place, const struct engine *known, struct space_vm *vm, struct usage *usage)
{
        for (const struct engine *const *engine = vm_engines(); *engine; engine++) {
                _cleanup_(freep) char *folder = known && known != *engine ? NULL : (*engine)->folder(place);

                for (const struct engine_log *log = (*engine)->logs; folder && log && log->name; log++) {
                        _cleanup_(freep) char *path = path_join(folder, log->file);

                        vm->log_bytes += usage_add(usage, path);
                }
                if (folder)
                        vm->bytes += usage_add(usage, folder);
        }
}

static struct space_vm measure_vm(const struct inventory_entry *entry, struct usage *usage)
{
        struct space_vm vm = { .entry = entry, .disk_bytes = entry->status.disk_bytes };
        _cleanup_(freep) char *vms = paths_state("vms");
        _cleanup_(freep) char *folder = path_join(vms, entry->name);
        _cleanup_(freep) char *logs = path_join(folder, "logs");

        vm.log_bytes = usage_add(usage, logs);
        add_engines_files(&(struct vm){ .name = entry->name, .folder = folder }, entry->vm.engine, &vm, usage);
        vm.bytes += vm.log_bytes + usage_add(usage, folder);
        vm.removed_by = xasprintf("machine destroy %s", entry->name);
        return vm;
}

static bool is_vm(const struct inventory_entry *entry)
{
        return entry->vm.exists || entry->broken;
}

static void add_vms(struct space *space, const struct strv *names, struct usage *usage)
{
        space->vms = xcalloc(space->inventory.count + 1, sizeof(*space->vms));
        for (size_t i = 0; i < space->inventory.count; i++) {
                const struct inventory_entry *entry = &space->inventory.items[i];

                if (!is_vm(entry) || (names->count > 0 && !strv_contains(names, entry->name)))
                        continue;
                space->vms[space->vm_count] = measure_vm(entry, usage);
                space->total_bytes += space->vms[space->vm_count++].bytes;
        }
        qsort(space->vms, space->vm_count, sizeof(*space->vms), larger);
}

static int check_names(const struct inventory *inventory, const struct strv *names, struct error **err)
{
        for (size_t i = 0; i < names->count; i++) {
                _cleanup_(vm_clear) struct vm vm = VM_INIT;
                bool found = false;

                for (size_t j = 0; j < inventory->count; j++)
                        found = found || (streq(inventory->items[j].name, names->items[i]) && is_vm(&inventory->items[j]));
                if (!found && vm_open_existing(&vm, names->items[i], err) < 0)
                        return -1;
        }
        return 0;
}

/* --- layers */

/* Would it remove the layer, or its memory? */
static bool is_step(const struct prune *prune, size_t layer)
{
        for (size_t i = 0; i < prune->count; i++)
                if (prune->steps[i].layer == layer)
                        return true;
        return false;
}

static void plan_prune(struct space *space, struct prune *some, struct prune *all)
{
        const struct stock *stock = &space->stock;

        if (stock->unread)
                return;
        prune_unused(&stock->layers, &stock->used, false, some);
        prune_unused(&stock->layers, &stock->used, true, all);
        space->prune_bytes = prune_bytes(some);
        space->prune_all_bytes = prune_bytes(all);
}

static void add_layers(struct space *space, struct usage *usage)
{
        const struct stock *stock = &space->stock;
        _cleanup_(prune_clear) struct prune some = PRUNE_INIT;
        _cleanup_(prune_clear) struct prune all = PRUNE_INIT;
        _cleanup_(freep) char *folder = paths_data("layers");

        plan_prune(space, &some, &all);
        space->layers = xcalloc(stock->layers.count + 1, sizeof(*space->layers));
        for (size_t i = 0; i < stock->layers.count; i++) {
                _cleanup_(freep) char *path = path_join(folder, stock->layers.items[i].key);
                _cleanup_(strv_clear) struct strv owners = STRV_INIT;

                prune_owners(&stock->layers, i, &stock->used, &stock->owners, &owners);
                space->layers[space->layer_count] = (struct space_layer){
                        .layer = i,
                        .bytes = usage_add(usage, path),
                        .vms = owners.count,
                        .layers = prune_layers_on(&stock->layers, i),
                        .removed_by = is_step(&some, i)  ? "machine prune"
                                      : is_step(&all, i) ? "machine prune --all"
                                                         : NULL,
                };
                space->total_bytes += space->layers[space->layer_count++].bytes;
        }
        qsort(space->layers, space->layer_count, sizeof(*space->layers), larger);
}

static void take_stock(struct front *front, struct space *space)
{
        struct error *reason = NULL;

        if (stock_take(front, &space->stock, &reason) < 0)
                space->stock.unread = reason;
        stock_warn_unread(&space->stock, front->events);
}

/* --- all else */

/* Takes over the place's strings. */
static void add_place(struct space *space, struct space_place place)
{
        space->places = xreallocarray(space->places, space->place_count + 1, sizeof(*space->places));
        space->places[space->place_count++] = place;
        space->total_bytes += place.bytes;
}

/* What lies among the VMs and is none: "mv blog blog.off" is how a VM is kept that can't be used any more. It may hold work, so
 * no command is given that removes it. */
static void add_set_aside(struct space *space, struct usage *usage)
{
        _cleanup_(freep) char *vms = paths_state("vms");
        _cleanup_(strv_clear) struct strv names = STRV_INIT;

        file_list(vms, &names, NULL);
        for (size_t i = 0; i < names.count; i++) {
                _cleanup_(freep) char *path = path_join(vms, names.items[i]);
                int64_t bytes = file_is_folder(path) ? usage_add(usage, path) : 0;

                if (bytes > 0) {
                        char *kept = TAKE_PTR(path);

                        add_place(space,
                                  (struct space_place){ .bytes = bytes, .what = "set aside", .about = kept, .path = kept });
                }
        }
}

static void add_downloads(struct space *space, struct usage *usage)
{
        struct space_place place = { .what = "downloads", .about = "what recipes fetched", .path = paths_cache("downloads") };

        place.bytes = usage_add(usage, place.path);
        if (place.bytes == 0) {
                free(place.path);
                return;
        }
        place.removed_by = text_shell_join((const char *const[]){ "rm", "-r", place.path, NULL });
        add_place(space, place);
}

static void add_rest(struct space *space, struct usage *usage)
{
        char *const folders[] = { paths_state(NULL), paths_data(NULL), paths_cache(NULL) };
        int64_t bytes = 0;

        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                bytes += usage_add(usage, folders[i]);
                free(folders[i]);
        }
        if (bytes > 0)
                add_place(space,
                          (struct space_place){ .bytes = bytes, .what = "other", .about = "records, keys, logs of builds" });
        qsort(space->places, space->place_count, sizeof(*space->places), larger);
}

int space_take(struct front *front, const struct strv *names, struct space *out, struct error **err)
{
        _cleanup_(usage_clear) struct usage usage = USAGE_INIT;

        if (inventory_take(front, &out->inventory, err) < 0 || check_names(&out->inventory, names, err) < 0)
                return -1;
        out->whole = names->count == 0;
        add_vms(out, names, &usage);
        if (out->whole) {
                take_stock(front, out);
                add_layers(out, &usage);
                add_set_aside(out, &usage);
                add_downloads(out, &usage);
                add_rest(out, &usage);
        }
        for (size_t i = 0; i < usage.unread.count; i++)
                event_warning(front->events, "the folder '%s' can't be read, so what is in it isn't counted",
                              usage.unread.items[i]);
        return 0;
}
