/* Layers in their folders: what is found, what is refused, and when a template has changed. */
#include "layers.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "lib/json.h"
#include "qemu/template-build.h"
#include "qemu/template.h"

static const char base_key[] = "b000000000000000000000000000000000000000000000000000000000000000";
static const char warm_key[] = "70000000000000000000000000000000000000000000000000000000000000aa";

static void put_template(const char *parent)
{
        _cleanup_(freep) char *folder = layer_folder(warm_key);
        _cleanup_(freep) char *memory = path_join(folder, "memory");
        _cleanup_(freep) char *state = path_join(folder, "state");
        _cleanup_(freep) char *path = path_join(folder, "manifest.json");
        _cleanup_(json_decrefp) json_t *manifest = NULL;

        layers_put(warm_key, "disk.qcow2", "what the guest wrote");
        layers_put(warm_key, "memory", "what the guest knew");
        layers_put(warm_key, "state", "devices");
        manifest = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "kind", "template", "key", warm_key, "parent", parent,
                             "inputs", "x", "disk_bytes", 4096, "memory", template_stamp(memory, NULL), "state",
                             template_stamp(state, NULL));
        assert_int_equal(json_write(path, manifest, 0600, NULL), 0);
}

static void what_was_never_made_is_not_there(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        assert_int_equal(layer_find(base_key, &layer, NULL), 0);
        assert_null(layer.key);
}

static void a_template_has_the_kernel_of_what_it_stands_on(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *base = layer_folder(base_key);
        _cleanup_(freep) char *kernel = path_join(base, "vmlinuz");

        layers_put_base(base_key);
        put_template(base_key);
        assert_int_equal(layer_find(warm_key, &layer, NULL), 1);
        assert_true(template_is(&layer));
        assert_string_equal(layer.kernel, kernel);
        assert_int_equal(layer.folders.count, 2);
        assert_string_equal(layer.folders.items[1], base);
        assert_true(template_bytes(&layer) > 0);
}

static void a_template_without_what_it_stands_on_is_damaged(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        put_template(base_key);
        assert_int_equal(layer_find(warm_key, &layer, &err), -1);
        assert_non_null(strstr(err->cause->message, "that it stands on is gone"));
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_string_equal(err->hint, "machine doctor --repair");
        assert_null(layer.key);
}

static void a_layer_that_stands_on_itself_is_damaged(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        put_template(warm_key);
        assert_int_equal(layer_find(warm_key, &layer, NULL), -1);
}

static void a_template_as_it_was_saved_passes(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        layers_put_base(base_key);
        put_template(base_key);
        assert_int_equal(layer_find(warm_key, &layer, NULL), 1);
        assert_int_equal(template_check(&layer, NULL), 0);
}

/* The kernel's clock for files ticks a few hundred times a second. */
static void let_the_clock_tick(void)
{
        nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
}

static void a_template_whose_memory_was_written_to_is_noticed_whatever_its_times_say(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *memory = NULL;
        _cleanup_(closep) int fd = -1;
        struct stat before;

        layers_put_base(base_key);
        put_template(base_key);
        assert_int_equal(layer_find(warm_key, &layer, NULL), 1);
        memory = template_memory(&layer);
        assert_int_equal(stat(memory, &before), 0);
        let_the_clock_tick();
        fd = open(memory, O_WRONLY | O_CLOEXEC);
        assert_int_equal(pwrite(fd, "W", 1, 0), 1);
        assert_int_equal(futimens(fd, (const struct timespec[]){ before.st_atim, before.st_mtim }), 0);
        assert_int_equal(template_check(&layer, &err), -1);
        assert_non_null(strstr(err->message, "has changed"));
}

static void a_dropped_template_keeps_its_disk_and_is_not_restored(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(layer_clear) struct layer again = LAYER_INIT;

        layers_put_base(base_key);
        put_template(base_key);
        assert_int_equal(layer_find(warm_key, &layer, NULL), 1);
        assert_int_equal(template_drop(&layer, NULL), 0);
        assert_int_equal(template_drop(&layer, NULL), 0);
        assert_int_equal(layer_find(warm_key, &again, NULL), 1);
        assert_true(file_exists(again.disk));
        assert_int_equal(template_bytes(&again), 0);
        assert_int_equal(template_check(&again, NULL), -1);
}

static int build_nothing(void *data, const char *folder, const struct lock *lock, struct event_sink *events, struct error **err)
{
        return error_set(err, ERROR_ENGINE, "no bricks");
}

static int tidy_nothing(const char *folder, struct error **err)
{
        return 0;
}

static void a_build_that_fails_leaves_no_folder(void **state)
{
        const struct layer_builder builder = {
                .what = "it", .kind = "base", .doing = "building it", .build = build_nothing, .tidy = tidy_nothing
        };
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = path_join(*state, "machine/layers");

        assert_int_equal(layer_ensure(base_key, &builder, NULL, NULL, &layer, &err), -1);
        assert_string_equal(err->message, "no bricks");
        assert_int_equal(file_list(folder, &names, NULL), 0);
        assert_int_equal(names.count, 1);
        assert_true(ends_with(names.items[0], ".lock"));
}

static int build_template(void *data, const char *made, const struct lock *lock, struct event_sink *events, struct error **err)
{
        _cleanup_(freep) char *disk = path_join(made, "disk.qcow2");

        scratch_write(disk, "the same again");
        return 0;
}

static const char *became_warm(void *data)
{
        return warm_key;
}

/* A filling that changed nothing has become the layer that it stands on, which its process holds. It must not wait for itself.
 */
static void a_build_that_became_a_layer_in_use_takes_that_one(void **state)
{
        static const char wanted[] = "70000000000000000000000000000000000000000000000000000000000000bb";
        const struct layer_builder builder = { .what = "it",
                                               .kind = "recipe",
                                               .doing = "building it",
                                               .build = build_template,
                                               .became = became_warm,
                                               .tidy = tidy_nothing };
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *folder = path_join(*state, "machine/layers");

        layers_put_base(base_key);
        put_template(base_key);
        assert_int_equal(layer_use(warm_key, &lock, NULL), 0);
        assert_int_equal(layer_ensure(wanted, &builder, NULL, NULL, &layer, NULL), 0);
        assert_string_equal(layer.key, warm_key);
        assert_int_equal(file_list(folder, &names, NULL), 0);
        for (size_t i = 0; i < names.count; i++)
                assert_null(strstr(names.items[i], ".tmp-"));
        assert_int_equal(template_check(&layer, NULL), 0);
}

static void using_a_layer_is_remembered_by_its_locks_time(void **state)
{
        _cleanup_(lock_release) struct lock lock = LOCK_INIT;
        _cleanup_(freep) char *path = layer_lock_path(base_key);
        struct stat before;
        struct stat after;

        layers_put_base(base_key);
        scratch_write(path, "");
        assert_int_equal(stat(path, &before), 0);
        let_the_clock_tick();
        assert_int_equal(layer_use(base_key, &lock, NULL), 0);
        assert_int_equal(stat(path, &after), 0);
        assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec || after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_was_never_made_is_not_there, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_template_has_the_kernel_of_what_it_stands_on, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_template_without_what_it_stands_on_is_damaged, layers_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(a_layer_that_stands_on_itself_is_damaged, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_template_as_it_was_saved_passes, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_template_whose_memory_was_written_to_is_noticed_whatever_its_times_say,
                                                layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_dropped_template_keeps_its_disk_and_is_not_restored, layers_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(a_build_that_fails_leaves_no_folder, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_build_that_became_a_layer_in_use_takes_that_one, layers_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(using_a_layer_is_remembered_by_its_locks_time, layers_setup, scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
