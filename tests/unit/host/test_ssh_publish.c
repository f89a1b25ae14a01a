/* ~/.ssh belongs to the user: ssh finds what we add, and not a byte of theirs is lost. */
#include "scratch.h"

#include <pthread.h>
#include <unistd.h>

#include "host/ssh_config.h"
#include "lib/process.h"
#include "lib/strv.h"

#define INCLUDE "Include config.d/machine\n"

/* *state is the folder in place of ~/.ssh, which doesn't exist yet. Its parent is the scratch folder. */
static int setup(void **state)
{
        char *folder;

        if (scratch_setup(state) < 0)
                return -1;
        folder = path_join(*state, "dot-ssh");
        free(*state);
        *state = folder;
        return setenv("MACHINE_SSH_DIR", folder, 1);
}

static int teardown(void **state)
{
        char *folder = path_folder(*state);

        free(*state);
        *state = folder;
        return scratch_teardown(state);
}

static char *in_folder(void **state, const char *name)
{
        return path_join(*state, name);
}

static char *content(void **state, const char *name)
{
        _cleanup_(freep) char *path = in_folder(state, name);

        return scratch_read(path);
}

static void write_config(void **state, const void *text, size_t length, mode_t mode)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        assert_int_equal(file_make_folders(*state, 0700, NULL), 0);
        assert_int_equal(file_write(path, text, length, mode, NULL), 0);
}

static int publish(const char *name, struct error **err)
{
        _cleanup_(freep) char *folder = xasprintf("/srv/vms/%s", name);
        struct ssh_host host = { .name = name, .folder = folder, .user = "me", .program = "/usr/bin/machine" };

        return ssh_config_publish(&host, err);
}

static void assert_config(void **state, const char *expected)
{
        _cleanup_(freep) char *got = content(state, "config");

        assert_string_equal(got, expected);
}

/* The names of the Host blocks in our file, in order. */
static void assert_blocks(void **state, const char *expected)
{
        _cleanup_(freep) char *text = content(state, "config.d/machine");
        _cleanup_(strbuf_clear) struct strbuf names = STRBUF_INIT;
        const char *at = text;

        while ((at = strstr(at, "\nHost machine-"))) {
                at += strlen("\nHost machine-");
                strbuf_addf(&names, "%s%.*s", names.len ? " " : "", (int)strcspn(at, "\n"), at);
        }
        assert_string_equal(names.buf, expected);
}

static void everything_is_made_where_there_was_nothing(void **state)
{
        _cleanup_(freep) char *folder = in_folder(state, "config.d");
        _cleanup_(freep) char *ours = in_folder(state, "config.d/machine");
        _cleanup_(freep) char *config = in_folder(state, "config");

        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(scratch_mode(*state), 0700);
        assert_int_equal(scratch_mode(folder), 0700);
        assert_int_equal(scratch_mode(ours), 0600);
        assert_int_equal(scratch_mode(config), 0600);
        assert_config(state, INCLUDE);
        assert_blocks(state, "blog");
}

static void ssh_finds_every_published_vm(void **state)
{
        _cleanup_(freep) char *ours = in_folder(state, "config.d/machine");
        const char *const argv[] = { "ssh", "-T", "-G", "-F", ours, "machine-shop", NULL };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        assert_int_equal(publish("shop", NULL), 0);
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(process_check(&(struct process_spec){ .argv = argv }, &out, NULL), 0);
        assert_non_null(strstr(out.buf, "\nproxycommand /usr/bin/machine proxy shop\n"));
        assert_non_null(strstr(out.buf, "\nidentityfile /srv/vms/shop/id_ed25519\n"));
}

static void blocks_are_kept_in_order_and_one_per_vm(void **state)
{
        assert_int_equal(publish("shop", NULL), 0);
        assert_int_equal(publish("a", NULL), 0);
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(publish("shop", NULL), 0);
        assert_blocks(state, "a blog shop");
}

static void a_changed_block_replaces_the_old_one_only(void **state)
{
        struct ssh_host host = { .name = "blog", .folder = "/elsewhere", .user = "you", .program = "/opt/machine" };
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(publish("a", NULL), 0);
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(publish("shop", NULL), 0);
        assert_int_equal(ssh_config_publish(&host, NULL), 0);
        assert_blocks(state, "a blog shop");
        text = content(state, "config.d/machine");
        assert_null(strstr(text, "/srv/vms/blog"));
        assert_non_null(strstr(text, "/elsewhere"));
        assert_non_null(strstr(text, "/srv/vms/a/"));
        assert_non_null(strstr(text, "/srv/vms/shop/"));
}

static void a_name_that_begins_like_another_is_another(void **state)
{
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(publish("blog-2", NULL), 0);
        assert_int_equal(ssh_config_withdraw("blog", NULL), 0);
        assert_blocks(state, "blog-2");
}

static void what_was_published_can_be_withdrawn(void **state)
{
        assert_int_equal(ssh_config_withdraw("blog", NULL), 0);
        assert_false(file_exists(*state));
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(publish("shop", NULL), 0);
        assert_int_equal(ssh_config_withdraw("blog", NULL), 0);
        assert_int_equal(ssh_config_withdraw("blog", NULL), 0);
        assert_blocks(state, "shop");
        assert_int_equal(ssh_config_withdraw("shop", NULL), 0);
        assert_blocks(state, "");
        assert_config(state, INCLUDE);
}

static void publishing_again_writes_nothing(void **state)
{
        static const char *const names[] = { "config", "config.d/machine" };
        struct stat before[ARRAY_SIZE(names)];

        assert_int_equal(publish("blog", NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = in_folder(state, names[i]);

                assert_int_equal(stat(path, &before[i]), 0);
        }
        assert_int_equal(publish("blog", NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = in_folder(state, names[i]);
                struct stat after;

                assert_int_equal(stat(path, &after), 0);
                assert_int_equal(before[i].st_ino, after.st_ino);
        }
}

/* The user's bytes, whatever they are, follow our line unchanged. */
static void every_byte_of_the_users_file_is_kept(void **state)
{
        static const struct {
                const char *text;
                size_t length;
                const char *line;
        } cases[] = {
                { "", 0, INCLUDE },
                { "Host *\n  User me\n", 17, INCLUDE },
                { "Host *\n  User me", 16, INCLUDE },
                { "\n\n", 2, INCLUDE },
                { "Host *\r\n  User me\r\n", 19, "Include config.d/machine\r\n" },
                { "# caf\xe9 \0 \x01\nHost x\n", 18, INCLUDE },
                { "Host x\nInclude config.d/machine\n", 32, INCLUDE },
                { "Include config.d/*.conf\n", 24, INCLUDE },
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_(freep) char *path = in_folder(state, "config");
                _cleanup_(strbuf_clear) struct strbuf got = STRBUF_INIT;
                size_t line = strlen(cases[i].line);

                write_config(state, cases[i].text, cases[i].length, 0600);
                assert_int_equal(publish("blog", NULL), 0);
                assert_int_equal(publish("shop", NULL), 0);
                assert_int_equal(file_read(path, 1 << 20, &got, NULL), 0);
                assert_int_equal(got.len, line + cases[i].length);
                assert_memory_equal(got.buf, cases[i].line, line);
                assert_memory_equal(got.buf + line, cases[i].text, cases[i].length);
        }
}

static void a_file_that_includes_ours_already_is_left_alone(void **state)
{
        static const char *const texts[] = { "# mine\nInclude config.d/*\n\nHost *\n  User me\n",
                                             "include ~/.ssh/config.d/machine", INCLUDE "Host x\n" };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                write_config(state, texts[i], strlen(texts[i]), 0400);
                assert_int_equal(publish("blog", NULL), 0);
                assert_config(state, texts[i]);
        }
}

static void the_mode_of_the_users_file_is_kept(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        write_config(state, "User me\n", 8, 0644);
        assert_int_equal(publish("blog", NULL), 0);
        assert_int_equal(scratch_mode(path), 0644);
}

static void a_symlink_of_a_dotfile_manager_is_followed_and_stays(void **state)
{
        _cleanup_(freep) char *dotfiles = in_folder(state, "../dotfiles/ssh");
        _cleanup_(freep) char *target = path_join(dotfiles, "config");
        _cleanup_(freep) char *path = in_folder(state, "config");
        _cleanup_(freep) char *middle = in_folder(state, "config-here");
        _cleanup_(freep) char *got = NULL;
        struct stat status;

        assert_int_equal(file_make_folders(dotfiles, 0755, NULL), 0);
        assert_int_equal(file_make_folders(*state, 0700, NULL), 0);
        scratch_write(target, "User me\n");
        assert_int_equal(symlink("../dotfiles/ssh/config", middle), 0);
        assert_int_equal(symlink(middle, path), 0);
        assert_int_equal(publish("blog", NULL), 0);
        got = scratch_read(target);
        assert_string_equal(got, INCLUDE "User me\n");
        assert_int_equal(lstat(path, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(lstat(middle, &status), 0);
        assert_true(S_ISLNK(status.st_mode));
        assert_int_equal(lstat(target, &status), 0);
        assert_true(S_ISREG(status.st_mode));
}

static void a_symlink_to_nothing_gets_its_file(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");
        _cleanup_(freep) char *target = in_folder(state, "later");

        assert_int_equal(file_make_folders(*state, 0700, NULL), 0);
        assert_int_equal(symlink("later", path), 0);
        assert_int_equal(publish("blog", NULL), 0);
        assert_config(state, INCLUDE);
        assert_int_equal(scratch_mode(target), 0600);
}

/* The error names the file and quotes the line to add, and the file stays as it was. */
static void assert_refused(void **state, const char *why)
{
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(publish("blog", &err), -1);
        text = error_text(err);
        print_message("%s\n", text);
        assert_non_null(strstr(text, why));
        assert_non_null(strstr(err->hint, "Include config.d/machine"));
        assert_non_null(strstr(err->hint, "/config'"));
}

static void a_symlink_loop_is_an_error_that_says_what_to_add(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        assert_int_equal(file_make_folders(*state, 0700, NULL), 0);
        assert_int_equal(symlink("config", path), 0);
        assert_refused(state, "leads nowhere");
}

static void a_read_only_file_is_an_error_that_says_what_to_add(void **state)
{
        write_config(state, "User me\n", 8, 0444);
        assert_refused(state, "is read-only");
        assert_config(state, "User me\n");
        /* The VM itself is published: ssh finds it as soon as the line is added. */
        assert_blocks(state, "blog");
}

static void a_target_in_a_folder_that_is_gone_is_an_error_that_says_what_to_add(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        assert_int_equal(file_make_folders(*state, 0700, NULL), 0);
        assert_int_equal(symlink("nowhere/config", path), 0);
        assert_refused(state, "cannot write");
}

static void a_folder_in_its_place_is_an_error_that_says_what_to_add(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        assert_int_equal(file_make_folders(path, 0700, NULL), 0);
        assert_refused(state, "not a regular file");
}

static void a_file_of_another_user_is_an_error_that_says_what_to_add(void **state)
{
        _cleanup_(freep) char *path = in_folder(state, "config");

        write_config(state, "User me\n", 8, 0644);
        if (geteuid() != 0 || chown(path, 1, 1) < 0)
                skip();
        assert_refused(state, "belongs to another user");
        assert_config(state, "User me\n");
}

static void a_file_of_our_name_that_somebody_else_wrote_is_left_alone(void **state)
{
        _cleanup_(freep) char *folder = in_folder(state, "config.d");
        _cleanup_(freep) char *ours = in_folder(state, "config.d/machine");
        _cleanup_(error_freep) struct error *err = NULL;
        _cleanup_(freep) char *got = NULL;

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        scratch_write(ours, "Host machine-room\n  User me\n");
        assert_int_equal(publish("blog", &err), -1);
        assert_non_null(strstr(err->hint, "mv -- '"));
        assert_non_null(strstr(err->cause->message, "was not written by machine, so it is left alone"));
        assert_int_equal(ssh_config_withdraw("room", NULL), -1);
        got = scratch_read(ours);
        assert_string_equal(got, "Host machine-room\n  User me\n");
}

static void a_host_that_can_not_be_written_changes_nothing(void **state)
{
        struct ssh_host host = { .name = "blog", .folder = "/srv/a\nb", .user = "me", .program = "/usr/bin/machine" };

        assert_int_equal(ssh_config_publish(&host, NULL), -1);
        assert_false(file_exists(*state));
}

static void *publish_some(void *data)
{
        const char *prefix = data;

        for (int i = 0; i < 10; i++) {
                _cleanup_(freep) char *name = xasprintf("%s%d", prefix, i);

                if (publish(name, NULL) < 0)
                        return data;
        }
        return NULL;
}

static void many_at_once_lose_nothing(void **state)
{
        static const char *const prefixes[] = { "a", "b", "c", "d" };
        _cleanup_(strbuf_clear) struct strbuf expected = STRBUF_INIT;
        pthread_t threads[ARRAY_SIZE(prefixes)];

        write_config(state, "User me\n", 8, 0600);
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                assert_int_equal(pthread_create(&threads[i], NULL, publish_some, (void *)prefixes[i]), 0);
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
                void *failed;

                pthread_join(threads[i], &failed);
                assert_null(failed);
                for (int n = 0; n < 10; n++)
                        strbuf_addf(&expected, "%s%s%d", expected.len ? " " : "", prefixes[i], n);
        }
        assert_blocks(state, expected.buf);
        assert_config(state, INCLUDE "User me\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(everything_is_made_where_there_was_nothing),
                TEST(ssh_finds_every_published_vm),
                TEST(blocks_are_kept_in_order_and_one_per_vm),
                TEST(a_changed_block_replaces_the_old_one_only),
                TEST(a_name_that_begins_like_another_is_another),
                TEST(what_was_published_can_be_withdrawn),
                TEST(publishing_again_writes_nothing),
                TEST(every_byte_of_the_users_file_is_kept),
                TEST(a_file_that_includes_ours_already_is_left_alone),
                TEST(the_mode_of_the_users_file_is_kept),
                TEST(a_symlink_of_a_dotfile_manager_is_followed_and_stays),
                TEST(a_symlink_to_nothing_gets_its_file),
                TEST(a_symlink_loop_is_an_error_that_says_what_to_add),
                TEST(a_read_only_file_is_an_error_that_says_what_to_add),
                TEST(a_target_in_a_folder_that_is_gone_is_an_error_that_says_what_to_add),
                TEST(a_folder_in_its_place_is_an_error_that_says_what_to_add),
                TEST(a_file_of_another_user_is_an_error_that_says_what_to_add),
                TEST(a_file_of_our_name_that_somebody_else_wrote_is_left_alone),
                TEST(a_host_that_can_not_be_written_changes_nothing),
                TEST(many_at_once_lose_nothing),
        };

        return cmocka_run_group_tests_name("host/ssh-publish", tests, NULL, NULL);
}
