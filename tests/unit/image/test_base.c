/*
 * How the base layer is made, without the programs that make it. mmdebstrap and qemu-img take a minute and the network, so
 * small scripts in their places write the same files, or fail in the same way.
 */
#include "scratch.h"

#include <sys/wait.h>
#include <unistd.h>

#include "image/base-inputs.h"
#include "image/base.h"
#include "image/layer-sums.h"
#include "image/stock.h"
#include "lib/json.h"
#include "lib/lock.h"

/* Writes what the hook in guest/build would, and counts its own runs. */
static const char mmdebstrap_good[] = "#!/bin/sh\n"
                                      "if [ \"$1\" = --unshare-helper ]; then shift; exec \"$@\"; fi\n"
                                      "echo run >>\"$FAKE_COUNT\"\n"
                                      "test -x \"$MACHINE_GUEST/build/finish\" || exit 9\n"
                                      "test -s \"$MACHINE_GUEST/root/etc/file\" || exit 9\n"
                                      "printf 'bash\\t5.2\\tamd64\\nlinux-image-6.12.1-cloud-amd64\\t6.12.1-1\\tamd64\\n' "
                                      ">\"$MACHINE_OUT/packages\"\n"
                                      "echo \"kernel for $MACHINE_USER\" >\"$MACHINE_OUT/vmlinuz\"\n"
                                      "echo initrd >\"$MACHINE_OUT/initrd\"\n"
                                      "echo disk >\"$MACHINE_OUT/disk.raw\"\n"
                                      "mkdir \"$TMPDIR/mmdebstrap.left\" && echo >\"$TMPDIR/mmdebstrap.left/file\"\n"
                                      "printf '%s\\n' \"$*\" >\"$FAKE_COUNT.arguments\"\n"
                                      "echo 'I: installing' >&2\n";

static const char mmdebstrap_bad[] = "#!/bin/sh\n"
                                     "if [ \"$1\" = --unshare-helper ]; then shift; exec \"$@\"; fi\n"
                                     "echo 'I: downloading' >&2\n"
                                     "echo 'E: the mirror is on fire' >&2\n"
                                     "exit 25\n";

static const char qemu_img[] = "#!/bin/sh\ncp \"$6\" \"$7\"\n";

struct fixture {
        char *folder, *layers, *count;
};

static char *in(const struct fixture *fixture, const char *name)
{
        return path_join(fixture->folder, name);
}

static void put(const struct fixture *fixture, const char *name, const char *text, mode_t mode)
{
        _cleanup_(freep) char *path = in(fixture, name);
        _cleanup_(freep) char *parent = path_folder(path);

        assert_int_equal(file_make_folders(parent, 0700, NULL), 0);
        assert_int_equal(file_write_text(path, text, mode, NULL), 0);
}

static int setup(void **state)
{
        struct fixture *fixture = xcalloc(1, sizeof(*fixture));
        _cleanup_(freep) char *state_folder = NULL;
        _cleanup_(freep) char *path = NULL;

        if (scratch_setup((void **)&fixture->folder) < 0)
                return -1;
        *state = fixture;
        fixture->layers = in(fixture, "data/machine/layers");
        fixture->count = in(fixture, "count");
        state_folder = in(fixture, "state");
        put(fixture, "shipped/guest/identity", "identity\n", 0755);
        put(fixture, "shipped/guest/seed", "seed\n", 0755);
        put(fixture, "shipped/guest/build/finish", "finish\n", 0755);
        put(fixture, "shipped/guest/root/etc/file", "content\n", 0644);
        put(fixture, "shipped/guest/README.md", "not part of it\n", 0644);
        put(fixture, "bin/mmdebstrap", mmdebstrap_good, 0755);
        put(fixture, "bin/qemu-img", qemu_img, 0755);
        put(fixture, "bin/mke2fs", "#!/bin/sh\n", 0755);
        path = xasprintf("%s/bin:%s", fixture->folder, getenv("PATH"));
        setenv("PATH", path, 1);
        setenv("FAKE_COUNT", fixture->count, 1);
        setenv("XDG_STATE_HOME", state_folder, 1);
        free(path);
        path = in(fixture, "data");
        setenv("XDG_DATA_HOME", path, 1);
        free(path);
        path = in(fixture, "shipped");
        setenv("MACHINE_DATA_DIR", path, 1);
        free(path);
        path = in(fixture, "temporary");
        setenv("TMPDIR", path, 1);
        return mkdir(path, 0755);
}

static int teardown(void **state)
{
        struct fixture *fixture = *state;
        int status = file_remove(fixture->folder, NULL);

        free(fixture->folder);
        free(fixture->layers);
        free(fixture->count);
        free(fixture);
        return status;
}

static char *key_of(const char *user)
{
        _cleanup_(base_inputs_clear) struct base_inputs inputs = BASE_INPUTS_INIT;

        assert_int_equal(base_inputs_collect(user, NULL, &inputs, NULL), 0);
        return TAKE_PTR(inputs.key);
}

/* Without root a build needs ranges of ids in /etc/subuid, which a test can't give itself. */
static void need_builder(void)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;

        if (geteuid() == 0 || base_ensure("dev", NULL, NULL, &image, &err) == 0)
                return;
        if (strstr(err->message, "/etc/sub")) {
                print_message("%s\n", err->message);
                skip();
        }
}

static size_t builds(const struct fixture *fixture)
{
        _cleanup_(freep) char *text = file_exists(fixture->count) ? scratch_read(fixture->count) : xstrdup("");

        return strlen(text) / strlen("run\n");
}

static void names_in(const char *folder, struct strv *names)
{
        assert_int_equal(file_list(folder, names, NULL), 0);
}

static void the_key_changes_with_all_that_goes_in_and_with_nothing_else(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(freep) char *first = key_of("dev");
        _cleanup_(freep) char *user = key_of("ada");
        _cleanup_(freep) char *content = NULL;
        _cleanup_(freep) char *mode = NULL;
        _cleanup_(freep) char *name = NULL;
        _cleanup_(freep) char *readme = NULL;

        assert_int_equal(strlen(first), 64);
        assert_string_not_equal(first, user);
        put(fixture, "shipped/guest/README.md", "other words\n", 0644);
        put(fixture, "shipped/guest/root/etc/file", "content\n", 0600);
        readme = key_of("dev");
        assert_string_equal(first, readme);
        put(fixture, "shipped/guest/root/etc/file", "other content\n", 0644);
        content = key_of("dev");
        assert_string_not_equal(first, content);
        put(fixture, "shipped/guest/root/etc/file", "content\n", 0755);
        mode = key_of("dev");
        assert_string_not_equal(first, mode);
        put(fixture, "shipped/guest/root/etc/file", "content\n", 0644);
        put(fixture, "shipped/guest/root/etc/more", "content\n", 0644);
        name = key_of("dev");
        assert_string_not_equal(first, name);
}

static void a_name_that_is_no_user_name_is_refused(void **state)
{
        const char *const names[] = { "",    "root", "0day", "-x",   "Ada",
                                      "a b", "a:b",  "../x", "a\nb", "averyveryverylongnamethatdebianrefuses" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(layer_clear) struct layer image = LAYER_INIT;
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(base_find(names[i], NULL, &image, &err), -1);
                assert_int_equal(err->kind, ERROR_CONFIG);
                assert_null(image.key);
        }
}

static void a_layer_is_built_once_and_found_ever_after(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer built = LAYER_INIT;
        _cleanup_(layer_clear) struct layer again = LAYER_INIT;
        _cleanup_(layer_clear) struct layer opened = LAYER_INIT;
        _cleanup_(strv_clear) struct strv names = STRV_INIT;
        _cleanup_(freep) char *kernel = NULL;

        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &built, NULL), 0);
        assert_int_equal(base_ensure("dev", NULL, NULL, &again, NULL), 0);
        assert_int_equal(builds(fixture), 1);
        assert_string_equal(built.folder, again.folder);
        assert_int_equal(layer_open(built.key, &opened, NULL), 0);
        assert_string_equal(opened.disk, built.disk);
        assert_true(opened.disk_bytes == INT64_C(3) << 30);
        kernel = scratch_read(opened.kernel);
        assert_string_equal(kernel, "kernel for dev\n");
        names_in(built.folder, &names);
        assert_int_equal(names.count, 5);
        assert_int_equal(layer_sums_check(built.folder, NULL), 1);
        assert_int_equal(scratch_mode(built.disk), 0444);
        assert_int_equal(scratch_mode(built.kernel), 0444);
        assert_int_equal(scratch_mode(built.initrd), 0444);
}

static void the_manifest_says_what_went_in(void **state)
{
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(freep) char *path = NULL;
        _cleanup_(json_decrefp) json_t *manifest = NULL;
        const char *text;
        json_t *packages;

        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, NULL), 0);
        path = path_join(image.folder, "manifest.json");
        manifest = json_read(path, 1 << 20, NULL);
        assert_non_null(manifest);
        assert_int_equal(json_get_string(manifest, "kernel", &text, NULL), 0);
        assert_string_equal(text, "6.12.1-cloud-amd64");
        assert_int_equal(json_get_string(manifest, "user", &text, NULL), 0);
        assert_string_equal(text, "dev");
        assert_int_equal(json_get_object(manifest, "installed", &packages, NULL), 0);
        assert_int_equal(json_get_string(packages, "bash", &text, NULL), 0);
        assert_string_equal(text, "5.2");
        assert_int_equal(json_get_array(manifest, "asked", &packages, NULL), 0);
        assert_true(json_array_size(packages) > 10);
}

static void no_mirror_is_named(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(freep) char *path = xasprintf("%s.arguments", fixture->count);
        _cleanup_(freep) char *arguments = NULL;

        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, NULL), 0);
        arguments = scratch_read(path);
        assert_true(ends_with(arguments, " trixie -\n"));
        assert_null(strstr(arguments, "://"));
        assert_non_null(strstr(arguments, geteuid() == 0 ? "--mode=root" : "--mode=unshare"));
}

/* The path in "… less 'PATH'". Owned by the caller. */
static char *logged(const char *hint)
{
        const char *begin = hint ? strstr(hint, "less '") : NULL;

        assert_non_null(begin);
        if (!begin) /* for tools that don't know that assert_non_null() doesn't return */
                return NULL;
        begin += strlen("less '");
        return xstrndup(begin, strcspn(begin, "'"));
}

/* Returns the error of a build in which apt says this. */
static struct error *build_badly(const struct fixture *fixture, const char *file, const char *said)
{
        _cleanup_(freep) char *script = xasprintf(
                "#!/bin/sh\n[ \"$1\" != --unshare-helper ] || { shift; exec \"$@\"; }\ncat <<'END'\n%sEND\nexit 100\n", said);
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        struct error *err = NULL;

        put(fixture, "shipped/guest/root/etc/file", file, 0644);
        put(fixture, "bin/mmdebstrap", script, 0755);
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, &err), -1);
        return err;
}

static void a_build_that_fails_says_why_in_one_line_and_what_to_do(void **state)
{
        _cleanup_(error_freep) struct error *untrusted = NULL, *broken = NULL;

        need_builder();
        untrusted = build_badly(*state, "untrusted\n",
                                "I: running apt-get update...\nErr:1 https://deb.example.org trixie InRelease\n"
                                "  Certificate verification failed: The certificate is NOT trusted.\n"
                                "E: Some index files failed to download.\n");
        assert_true(ends_with(untrusted->message, "'mmdebstrap' failed with exit status 100: Certificate verification failed: "
                                                  "The certificate is NOT trusted."));
        assert_non_null(strstr(untrusted->hint, "this computer does not trust the CA that signed this"));
        assert_non_null(strstr(untrusted->hint, "; all that it said: less '"));
        broken = build_badly(*state, "broken\n",
                             "Err:1 http://deb.example.org trixie InRelease\n  Temporary failure resolving 'deb.example.org'\n"
                             "E: apt-get update failed\n");
        error_again(&broken, "machine up blog");
        assert_non_null(strstr(broken->hint, "'; or run it again: machine up blog goes on from where it stopped, and only the "
                                             "base image is begun anew"));
}

static void a_failed_build_is_told_in_its_own_words_and_leaves_nothing(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(strv_clear) struct strv layers = STRV_INIT;
        _cleanup_(strv_clear) struct strv temporary = STRV_INIT;
        _cleanup_(freep) char *folder = in(fixture, "temporary");
        _cleanup_(freep) char *log = NULL, *said = NULL;

        need_builder();
        put(fixture, "shipped/guest/root/etc/file", "a key of its own\n", 0644);
        put(fixture, "bin/mmdebstrap", mmdebstrap_bad, 0755);
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, &err), -1);
        assert_null(image.folder);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->message, "E: the mirror is on fire"));
        assert_null(strstr(err->message, "downloading"));
        log = logged(err->hint);
        said = scratch_read(log);
        assert_string_equal(said, "I: downloading\nE: the mirror is on fire\n");
        names_in(fixture->layers, &layers);
        for (size_t i = 0; i < layers.count; i++)
                assert_null(strstr(layers.items[i], ".tmp-"));
        names_in(folder, &temporary);
        assert_int_equal(temporary.count, 0);
}

static void what_a_killed_builder_left_is_removed_wherever_it_lies(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(freep) char *key = key_of("dev");
        _cleanup_(freep) char *left = xasprintf("%s/%s.tmp-1", fixture->layers, key);
        _cleanup_(freep) char *note = path_join(left, "work");
        _cleanup_(freep) char *work = in(fixture, "temporary/machine-base-old");
        _cleanup_(freep) char *tree = path_join(work, "mmdebstrap.old/etc");
        _cleanup_(freep) char *other = xasprintf("%s/%064d.tmp-1", fixture->layers, 0);

        need_builder();
        assert_int_equal(file_make_folders(left, 0700, NULL), 0);
        assert_int_equal(file_make_folders(tree, 0755, NULL), 0);
        assert_int_equal(file_make_folders(other, 0700, NULL), 0);
        scratch_write(note, work);
        /* With nothing to build the lock isn't taken, so nothing would be removed. */
        if (base_find("dev", NULL, &image, NULL) == 1)
                assert_int_equal(file_remove(image.folder, NULL), 0);
        layer_clear(&image);
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, NULL), 0);
        assert_false(file_exists(left));
        assert_false(file_exists(work));
        assert_true(file_exists(other));
}

static void two_builders_build_once(void **state)
{
        const struct fixture *fixture = *state;
        pid_t builders[3];

        need_builder();
        put(fixture, "shipped/guest/root/etc/file", "for the crowd\n", 0644);
        if (file_exists(fixture->count))
                unlink(fixture->count);
        for (size_t i = 0; i < ARRAY_SIZE(builders); i++) {
                builders[i] = fork();
                assert_true(builders[i] >= 0);
                if (builders[i] == 0) {
                        _cleanup_(layer_clear) struct layer image = LAYER_INIT;

                        _exit(base_ensure("dev", NULL, NULL, &image, NULL) == 0 && file_exists(image.disk) ? 0 : 1);
                }
        }
        for (size_t i = 0; i < ARRAY_SIZE(builders); i++) {
                int status;

                assert_int_equal(waitpid(builders[i], &status, 0), builders[i]);
                assert_int_equal(status, 0);
        }
        assert_int_equal(builds(fixture), 1);
}

static void an_image_with_further_packages_is_another_that_knows_the_plain_one(void **state)
{
        const struct fixture *fixture = *state;
        char *names[] = { (char *)"ripgrep", (char *)"git", (char *)"jq" };
        char *turned[] = { (char *)"jq", (char *)"ripgrep", (char *)"jq" };
        const struct strv further = { .items = names, .count = ARRAY_SIZE(names) };
        const struct strv again = { .items = turned, .count = ARRAY_SIZE(turned) };
        _cleanup_(freep) char *path = xasprintf("%s.arguments", fixture->count);
        _cleanup_(freep) char *plain = key_of("dev");
        _cleanup_(freep) char *arguments = NULL;
        _cleanup_(layer_clear) struct layer wide = LAYER_INIT;
        _cleanup_(layer_clear) struct layer found = LAYER_INIT;
        _cleanup_(layer_clear) struct layer none = LAYER_INIT;

        need_builder();
        assert_int_equal(base_ensure("dev", &further, NULL, &wide, NULL), 0);
        assert_string_not_equal(wide.key, plain);
        assert_string_equal(wide.plain, plain);
        assert_true(wide.disk_bytes > INT64_C(3) << 30);
        arguments = scratch_read(path);
        assert_non_null(strstr(arguments, "--include=jq,ripgrep "));
        assert_int_equal(json_array_size(json_object_get(wide.manifest, "asked")) > 2, 1);
        /* The order doesn't matter, and neither do duplicates. */
        assert_int_equal(base_find("dev", &again, &found, NULL), 1);
        assert_string_equal(found.key, wide.key);
        /* A search for the plain image doesn't find this one. */
        assert_int_equal(base_find("dev", &(struct strv)STRV_INIT, &none, NULL), builds(fixture) > 1);
        assert_int_equal(stock_stands_on(wide.key, plain, NULL), 1);
        assert_int_equal(stock_stands_on(wide.key, wide.key, NULL), 1);
        assert_int_equal(stock_stands_on(wide.key, "0123", NULL), 0);
}

static void a_layer_that_is_gone_says_what_it_took_along(void **state)
{
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        assert_int_equal(layer_open("0123", &image, &err), -1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->message, "useless"));
        assert_non_null(strstr(err->hint, "backup"));
        assert_null(image.key);
}

static void spoil(const struct layer *layer, const char *name, const char *text)
{
        _cleanup_(freep) char *path = path_join(layer->folder, name);

        assert_int_equal(file_remove(path, NULL), 0);
        scratch_write(path, text);
}

static void a_damaged_layer_that_no_vm_needs_is_made_anew(void **state)
{
        struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer built = LAYER_INIT;
        _cleanup_(layer_clear) struct layer again = LAYER_INIT;
        _cleanup_(freep) char *kernel = NULL;

        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &built, NULL), 0);
        spoil(&built, "vmlinuz", "");
        assert_int_equal(base_ensure("dev", NULL, NULL, &again, NULL), 0);
        assert_int_equal(builds(fixture), 2);
        kernel = scratch_read(again.kernel);
        assert_string_equal(kernel, "kernel for dev\n");
}

static void a_changed_file_is_found_by_its_hash(void **state)
{
        _cleanup_(layer_clear) struct layer built = LAYER_INIT;
        _cleanup_(layer_clear) struct layer found = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;

        (void)state;
        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &built, NULL), 0);
        spoil(&built, "initrd", "another");
        assert_int_equal(layer_find(built.key, &found, NULL), 1);
        assert_int_equal(layer_sums_check(built.folder, &err), -1);
        assert_non_null(strstr(err->message, "initrd' has changed"));
}

static void a_layer_with_a_missing_or_foreign_file_is_damaged(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(layer_clear) struct layer other = LAYER_INIT;
        _cleanup_(error_freep) struct error *missing = NULL;
        _cleanup_(error_freep) struct error *foreign = NULL;
        _cleanup_(freep) char *moved = path_join(fixture->layers, "4567");

        need_builder();
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, NULL), 0);
        assert_int_equal(rename(image.folder, moved), 0);
        assert_int_equal(layer_open("4567", &other, &foreign), -1);
        assert_non_null(strstr(foreign->message, "damaged"));
        assert_int_equal(rename(moved, image.folder), 0);
        assert_int_equal(unlink(image.initrd), 0);
        assert_int_equal(base_find("dev", NULL, &other, &missing), -1);
        assert_int_equal(missing->kind, ERROR_ENGINE);
        assert_non_null(strstr(missing->message, "damaged"));
        assert_null(other.key);
}

static void a_missing_program_is_named_with_its_package(void **state)
{
        const struct fixture *fixture = *state;
        _cleanup_(layer_clear) struct layer image = LAYER_INIT;
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *path = xstrdup(getenv("PATH"));
        _cleanup_(freep) char *bin = in(fixture, "bin");
        _cleanup_(freep) char *program = in(fixture, "bin/qemu-img");

        assert_int_equal(unlink(program), 0);
        setenv("PATH", bin, 1);
        assert_int_equal(base_ensure("dev", NULL, NULL, &image, &err), -1);
        setenv("PATH", path, 1);
        assert_int_equal(err->kind, ERROR_ENGINE);
        assert_non_null(strstr(err->message, "'qemu-img' is not installed"));
        assert_string_equal(err->hint, "sudo apt-get install qemu-utils");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_key_changes_with_all_that_goes_in_and_with_nothing_else, setup, teardown),
                cmocka_unit_test_setup_teardown(a_name_that_is_no_user_name_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(a_layer_is_built_once_and_found_ever_after, setup, teardown),
                cmocka_unit_test_setup_teardown(the_manifest_says_what_went_in, setup, teardown),
                cmocka_unit_test_setup_teardown(no_mirror_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(a_failed_build_is_told_in_its_own_words_and_leaves_nothing, setup, teardown),
                cmocka_unit_test_setup_teardown(a_build_that_fails_says_why_in_one_line_and_what_to_do, setup, teardown),
                cmocka_unit_test_setup_teardown(what_a_killed_builder_left_is_removed_wherever_it_lies, setup, teardown),
                cmocka_unit_test_setup_teardown(two_builders_build_once, setup, teardown),
                cmocka_unit_test_setup_teardown(an_image_with_further_packages_is_another_that_knows_the_plain_one, setup,
                                                teardown),
                cmocka_unit_test_setup_teardown(a_layer_that_is_gone_says_what_it_took_along, setup, teardown),
                cmocka_unit_test_setup_teardown(a_damaged_layer_that_no_vm_needs_is_made_anew, setup, teardown),
                cmocka_unit_test_setup_teardown(a_changed_file_is_found_by_its_hash, setup, teardown),
                cmocka_unit_test_setup_teardown(a_layer_with_a_missing_or_foreign_file_is_damaged, setup, teardown),
                cmocka_unit_test_setup_teardown(a_missing_program_is_named_with_its_package, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
