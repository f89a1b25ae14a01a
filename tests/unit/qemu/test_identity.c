/* What the guest is told of itself: all of it, in the form that guest/identity reads, in a file without a name. */
#include "scratch.h"

#include <unistd.h>

#include "qemu/identity-file.h"

static void the_description_has_every_key_and_the_host_key_in_base64(void **state)
{
        _cleanup_(freep) char *host_key = path_join(*state, "host_key");
        _cleanup_(freep) char *public_key = path_join(*state, "id_ed25519.pub");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(closep) int fd = -1;
        char name[] = "blog";
        char uuid[] = "0b5f2c1e-0000-4000-8000-000000000001";
        char user[] = "me";
        char shell[] = "zsh";
        struct vm vm = { .name = name,
                         .folder = *state,
                         .record = { .name = name, .uuid = uuid, .user = user, .shell = shell } };

        scratch_write(host_key, "PRIVATE\nKEY\n");
        scratch_write(public_key, "ssh-ed25519 AAAA machine-blog\n");
        assert_int_equal(identity_open(&vm, &fd, NULL), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(file_read_fd(fd, "identity", 1 << 16, &text, NULL), 0);
        /* All are of one length, for a guest that was restored knows only that of its template's. */
        assert_int_equal(text.len, 4096);
        strbuf_trim_end(&text);
        assert_string_equal(text.buf, "hostname blog\n"
                                      "machine-id 0b5f2c1e000040008000000000000001\n"
                                      "user me\n"
                                      "shell zsh\n"
                                      "authorized-key ssh-ed25519 AAAA machine-blog\n"
                                      "host-key UFJJVkFURQpLRVkK");
        assert_int_equal(write(fd, "x", 1), -1);
}

static void without_its_keys_a_vm_has_no_identity(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "empty");
        _cleanup_(error_freep) struct error *err = NULL;
        char name[] = "blog";
        char uuid[] = "0b5f2c1e-0000-4000-8000-000000000001";
        struct vm vm = { .name = name, .folder = folder, .record = { .uuid = uuid } };
        int fd = -7;

        assert_int_equal(identity_open(&vm, &fd, &err), -1);
        assert_non_null(err);
        assert_int_equal(fd, -7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_description_has_every_key_and_the_host_key_in_base64),
                cmocka_unit_test(without_its_keys_a_vm_has_no_identity),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
