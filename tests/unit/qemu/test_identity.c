/* What the guest is told about itself: all of it, in the form that guest/identity reads, in a file without a name. */
#include "scratch.h"

#include <unistd.h>

#include "qemu/identity-file.h"
#include "vm/identity.h"

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
        /* All have the same length, because a restored guest knows only the length of its template's. */
        assert_int_equal(text.len, 32768);
        strbuf_trim_end(&text);
        assert_string_equal(text.buf, "hostname blog\n"
                                      "machine-id 0b5f2c1e000040008000000000000001\n"
                                      "user me\n"
                                      "shell zsh\n"
                                      "authorized-key ssh-ed25519 AAAA machine-blog\n"
                                      "host-key UFJJVkFURQpLRVkK");
        assert_int_equal(write(fd, "x", 1), -1);
}

static void what_git_is_to_know_goes_with_it(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "committer");
        _cleanup_(freep) char *host_key = path_join(folder, "host_key");
        _cleanup_(freep) char *public_key = path_join(folder, "id_ed25519.pub");
        _cleanup_(freep) char *config = path_join(folder, IDENTITY_GIT_CONFIG);
        _cleanup_(freep) char *signers = path_join(folder, IDENTITY_GIT_SIGNERS);
        _cleanup_(identity_wipe) struct strbuf text = STRBUF_INIT;
        char word[] = "blog";
        char uuid[] = "0b5f2c1e-0000-4000-8000-000000000001";
        struct vm vm = { .name = word,
                         .folder = folder,
                         .record = { .name = word, .uuid = uuid, .user = word, .shell = word } };

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(host_key, "KEY");
        scratch_write(public_key, "ssh-ed25519 AAAA machine-blog\n");
        scratch_write(config, "[user]\n");
        scratch_write(signers, "");
        assert_int_equal(identity_describe(&vm, &text, NULL), 0);
        assert_non_null(strstr(text.buf, "gitconfig W3VzZXJdCg==\nallowed-signers \n"));
}

static void a_description_that_has_no_room_is_refused(void **state)
{
        _cleanup_(freep) char *folder = path_join(*state, "long");
        _cleanup_(freep) char *host_key = path_join(folder, "host_key");
        _cleanup_(freep) char *public_key = path_join(folder, "id_ed25519.pub");
        _cleanup_(strbuf_clear) struct strbuf key = STRBUF_INIT;
        _cleanup_(freep) char *said = NULL;
        _cleanup_(error_freep) struct error *err = NULL;
        char word[] = "blog";
        char uuid[] = "0b5f2c1e-0000-4000-8000-000000000001";
        struct vm vm = { .name = word,
                         .folder = folder,
                         .record = { .name = word, .uuid = uuid, .user = word, .shell = word } };
        int fd = -1;

        while (key.len < 32768)
                strbuf_addc(&key, 'k');
        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(host_key, key.buf);
        scratch_write(public_key, "ssh-ed25519 AAAA machine-blog\n");
        assert_int_equal(identity_open(&vm, &fd, &err), -1);
        said = error_text(err);
        assert_non_null(strstr(said, "longer than"));
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
                cmocka_unit_test(what_git_is_to_know_goes_with_it),
                cmocka_unit_test(a_description_that_has_no_room_is_refused),
                cmocka_unit_test(without_its_keys_a_vm_has_no_identity),
        };

        return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
