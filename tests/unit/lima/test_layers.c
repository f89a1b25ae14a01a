/* Lima's recipe layers in their folders, and what they stand on. */
#include "layers.h"

#include "lima/engine.h"

static const char base_key[] = "b000000000000000000000000000000000000000000000000000000000000000";
static const char filled_key[] = "70000000000000000000000000000000000000000000000000000000000000aa";

/* Makes a layer that is a whole disk, under another name. It stands on a base only for the kernel, or on an image that isn't
 * ours. */
static void put_alone(const char *below)
{
        _cleanup_(freep) char *manifest =
                xasprintf("{\"kind\": \"recipe\", \"engine\": \"lima\", \"key\": \"%s\", \"disk\": \"disk.raw\", "
                          "\"disk_bytes\": 4096, %s}",
                          filled_key, below);

        layers_put(filled_key, "manifest.json", manifest);
        layers_put(filled_key, "disk.raw", "all of it");
}

static void one_that_stands_alone_has_its_disk_and_the_kernel_of_the_base(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *below = xasprintf("\"parent\": \"%s\"", base_key);
        _cleanup_(freep) char *folder = layer_folder(filled_key);
        _cleanup_(freep) char *disk = path_join(folder, "disk.raw");

        layers_put_base(base_key);
        put_alone(below);
        assert_int_equal(layer_find(filled_key, &layer, NULL), 1);
        assert_string_equal(layer.disk, disk);
        assert_non_null(layer.kernel);
        assert_int_equal(lima_stands_on(filled_key, base_key, NULL), 1);
}

static void one_of_a_foreign_image_has_no_kernel(void **state)
{
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;

        put_alone("\"image\": \"i1\"");
        assert_int_equal(layer_find(filled_key, &layer, NULL), 1);
        assert_null(layer.kernel);
        assert_int_equal(lima_stands_on(filled_key, "i1", NULL), 1);
        assert_int_equal(lima_stands_on(filled_key, "i2", NULL), 0);
        assert_int_equal(lima_stands_on("i1", "i2", NULL), 0);
        assert_int_equal(lima_stands_on("i1", "i1", NULL), 1);
}

static void a_disk_lies_in_its_layers_folder(void **state)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(layer_clear) struct layer layer = LAYER_INIT;
        _cleanup_(freep) char *text = NULL;

        put_alone("\"image\": \"i1\"");
        layers_put(filled_key, "manifest.json",
                   "{\"kind\": \"recipe\", \"key\": \"70000000000000000000000000000000000000000000000000000000000000aa\", "
                   "\"disk\": \"../x/disk\", \"image\": \"i1\", \"disk_bytes\": 1}");
        assert_int_equal(layer_find(filled_key, &layer, &err), -1);
        text = error_text(err);
        assert_non_null(strstr(text, "no valid name of a disk"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(one_that_stands_alone_has_its_disk_and_the_kernel_of_the_base, layers_setup,
                                                scratch_teardown),
                cmocka_unit_test_setup_teardown(one_of_a_foreign_image_has_no_kernel, layers_setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_disk_lies_in_its_layers_folder, layers_setup, scratch_teardown),
        };

        return cmocka_run_group_tests_name("lima/layers", tests, NULL, NULL);
}
