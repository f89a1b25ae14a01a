/* A VM's disk as QEMU has it: what its guest discards is given back, and nothing of the layer comes to light or is changed. */
#include "scratch.h"

#include <sys/stat.h>

#include "lib/process.h"
#include "lib/usage.h"
#include "qemu/arguments.h"
#include "qemu/disk.h"

#define MIB (INT64_C(1) << 20)

static int64_t length_of(const char *path)
{
        struct stat status;

        assert_int_equal(stat(path, &status), 0);
        return (int64_t)status.st_size;
}

static void run(const char *const *argv)
{
        assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, NULL, NULL), 0);
}

/* Opens the disk as QEMU is told to, and does one thing with it. */
static void use(const char *disk, const char *command)
{
        const struct arguments arguments = {
                .program = "qemu",
                .machine = "q35",
                .name = "blog",
                .kernel = "",
                .initrd = "",
                .disk = disk,
                .uuid = "0b5f2c1e-0000-4000-8000-000000000001",
                .agent_pipe = "",
                .console = "",
                .identity = "",
        };
        _cleanup_(strv_clear) struct strv argv = STRV_INIT;
        _cleanup_(freep) char *file = NULL;

        arguments_build(&arguments, &argv);
        for (size_t i = 0; i + 1 < argv.count; i++)
                if (streq(argv.items[i], "-blockdev"))
                        set_string(&file, xasprintf("json:%s", argv.items[i + 1]));
        assert_non_null(file);
        run((const char *const[]){ "qemu-io", "-c", command, file, NULL });
}

static char *make_layer(const char *folder, struct layer *layer)
{
        _cleanup_(freep) char *place = path_join(folder, "layer");
        char *disk = path_join(place, LAYER_DISK);

        assert_int_equal(file_make_folders(place, 0700, NULL), 0);
        run((const char *const[]){ "qemu-img", "create", "-q", "-f", "qcow2", disk, "64M", NULL });
        run((const char *const[]){ "qemu-io", "-f", "qcow2", "-c", "write -P 0x41 0 8M", disk, NULL });
        assert_int_equal(chmod(disk, 0444), 0);
        layer->disk = disk;
        layer->disk_bytes = 64 * MIB;
        strv_add(&layer->folders, place);
        return disk;
}

static void what_a_guest_discards_is_given_back_and_reads_as_zeros(void **state)
{
        struct layer layer = { .folders = STRV_INIT };
        _cleanup_(freep) char *program = process_find("qemu-io");
        _cleanup_(freep) char *below = NULL;
        _cleanup_(freep) char *before = NULL;
        _cleanup_(freep) char *after = NULL;
        _cleanup_(freep) char *disk = NULL;
        int64_t length, bytes = 0;

        if (!program)
                skip();
        disk = path_join(*state, "disk.qcow2");
        below = make_layer(*state, &layer);
        before = scratch_read(below);
        length = length_of(below);
        assert_int_equal(disk_make(disk, &layer, 64 * MIB, NULL), 0);

        use(disk, "write -P 0x42 0 16M");
        assert_true(usage_of(disk) >= 16 * MIB);
        use(disk, "discard 0 16M");
        assert_true(usage_of(disk) < 2 * MIB);
        /* The first half of it is in the layer, too, with other bytes. */
        use(disk, "read -P 0 0 16M");

        after = scratch_read(below);
        assert_true(length_of(below) > 8 * MIB && length_of(below) == length);
        assert_memory_equal(before, after, (size_t)length);
        assert_int_equal(disk_inspect(disk, &layer, 64 * MIB, &bytes, NULL), 0);
        assert_int_equal(bytes, 64 * MIB);
        strv_clear(&layer.folders);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(what_a_guest_discards_is_given_back_and_reads_as_zeros, scratch_setup,
                                                scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
