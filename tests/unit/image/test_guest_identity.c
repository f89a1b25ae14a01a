/* guest/identity over a made-up /etc, in a sandbox where it runs as root, alone. */
#include "scratch.h"

#include <sys/wait.h>

#include "lib/process.h"

#define HOST_KEY   "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0Kc2VjcmV0Ci0tLS0tRU5EIE9QRU5TU0ggUFJJVkFURSBLRVktLS0tLQo="
#define PUBLIC_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample machine-blog"
#define MACHINE_ID "0123456789abcdef0123456789abcdef"

struct description {
        const char *hostname, *machine_id, *user, *shell, *host_key, *authorized_key, *more;
};

#define GOOD                                                                                                                   \
        {                                                                                                                      \
                .hostname = "blog", .machine_id = MACHINE_ID, .user = "dev", .shell = "zsh", .host_key = HOST_KEY,             \
                .authorized_key = PUBLIC_KEY, .more = "",                                                                      \
        }

static int setup(void **state)
{
        static const char *const folders[] = { "etc/ssh/authorized_keys", "lib" };

        if (scratch_setup(state) < 0)
                return -1;
        for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
                _cleanup_(freep) char *path = path_join(*state, folders[i]);

                if (file_make_folders(path, 0755, NULL) < 0)
                        return -1;
        }
        _cleanup_(freep) char *users = path_join(*state, "etc/passwd");

        return file_write_text(
                users,
                "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/:/usr/sbin/nologin\ndev:x:1000:1000::/home/dev:/bin/zsh\n",
                0644, NULL);
}

/*
 * Runs it with `text` on stdin, or, with a `port` (in the folder "lib"), as in a warm template. Returns its exit status. Its
 * output is in `said`. The sandbox already has the host name, because a user namespace can't change a kernel setting.
 */
static int run(const char *folder, const char *hostname, const char *text, const char *port, struct strbuf *said)
{
        _cleanup_(freep) char *etc = path_join(folder, "etc");
        _cleanup_(freep) char *lib = path_join(folder, "lib");
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        static const char script[] = GUEST_FOLDER "/identity";
        const char *const argv[] = {
                "bwrap",      "--unshare-all",
                "--uid",      "0",
                "--gid",      "0",
                "--cap-add",  "ALL",
                "--hostname", *hostname ? hostname : "none",
                "--ro-bind",  "/usr",
                "/usr",       "--symlink",
                "usr/bin",    "/bin",
                "--symlink",  "usr/lib",
                "/lib",       "--ro-bind-try",
                "/lib64",     "/lib64",
                "--proc",     "/proc",
                "--dev",      "/dev",
                "--bind",     etc,
                "/etc",       "--bind",
                lib,          "/var/lib/machine",
                "--ro-bind",  script,
                "/identity",  "--",
                "/identity",  port ? "--wait" : NULL,
                port,         NULL,
        };

        assert_int_equal(process_run(&(struct process_spec){ .argv = argv, .input = text, .input_length = strlen(text) },
                                     &result, NULL),
                         0);
        strbuf_reset(said);
        strbuf_adds(said, result.err.buf);
        assert_true(WIFEXITED(result.status));
        return WEXITSTATUS(result.status);
}

static char *describe(const struct description *description)
{
        return xasprintf("hostname %s\nmachine-id %s\nuser %s\nshell %s\nhost-key %s\nauthorized-key %s\n%s",
                         description->hostname, description->machine_id, description->user, description->shell,
                         description->host_key, description->authorized_key, description->more);
}

static int apply(const char *folder, const struct description *description, struct strbuf *said)
{
        _cleanup_(freep) char *text = describe(description);

        return run(folder, description->hostname, text, NULL, said);
}

static void need_sandbox(void)
{
        const char *const argv[] = { "bwrap", "--unshare-all", "--uid", "0",    "--ro-bind", "/",
                                     "/",     "--proc",        "/proc", "true", NULL };

        if (process_check(&(struct process_spec){ .argv = argv }, NULL, NULL) < 0) {
                print_message("bwrap doesn't work here\n");
                skip();
        }
}

static void assert_content(const char *folder, const char *name, const char *wanted)
{
        _cleanup_(freep) char *path = path_join(folder, name);
        _cleanup_(freep) char *content = scratch_read(path);

        assert_string_equal(content, wanted);
}

static void a_good_description_is_applied_whole(void **state)
{
        const struct description good = GOOD;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *key = path_join(*state, "etc/ssh/ssh_host_ed25519_key");
        _cleanup_(freep) char *copy = path_join(*state, "lib/host-key");
        _cleanup_(freep) char *resolver = path_join(*state, "etc/resolv.conf");

        need_sandbox();
        assert_int_equal(apply(*state, &good, &said), 0);
        assert_string_equal(said.buf, "");
        assert_content(*state, "etc/hostname", "blog\n");
        assert_content(*state, "etc/machine-id", MACHINE_ID "\n");
        assert_content(*state, "etc/ssh/authorized_keys/dev", PUBLIC_KEY "\n");
        assert_content(*state, "etc/ssh/ssh_host_ed25519_key",
                       "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n-----END OPENSSH PRIVATE KEY-----\n");
        assert_int_equal(scratch_mode(key), 0600);
        assert_int_equal(scratch_mode(copy), 0600);
        /* The network is QEMU's only if the description came through QEMU. */
        assert_false(file_exists(resolver));
}

static void the_same_description_again_writes_nothing(void **state)
{
        static const char *const names[] = { "etc/hostname", "etc/machine-id", "etc/ssh/authorized_keys/dev",
                                             "etc/ssh/ssh_host_ed25519_key", "lib/host-key" };
        const struct description good = GOOD;
        struct stat before[ARRAY_SIZE(names)];
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        need_sandbox();
        assert_int_equal(apply(*state, &good, &said), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(*state, names[i]);

                assert_int_equal(stat(path, &before[i]), 0);
        }
        assert_int_equal(apply(*state, &good, &said), 0);
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *path = path_join(*state, names[i]);
                struct stat after;

                assert_int_equal(stat(path, &after), 0);
                assert_true(after.st_ino == before[i].st_ino && after.st_mtim.tv_sec == before[i].st_mtim.tv_sec &&
                            after.st_mtim.tv_nsec == before[i].st_mtim.tv_nsec);
        }
}

static void another_identity_replaces_the_first(void **state)
{
        const struct description first = GOOD;
        struct description second = GOOD;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        need_sandbox();
        second.hostname = "shop";
        second.machine_id = "fedcba9876543210fedcba9876543210";
        second.authorized_key = "ssh-ed25519 AAAAother machine-shop";
        second.host_key = "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0Kb3RoZXIK";
        assert_int_equal(apply(*state, &first, &said), 0);
        assert_int_equal(apply(*state, &second, &said), 0);
        assert_content(*state, "etc/hostname", "shop\n");
        assert_content(*state, "etc/machine-id", "fedcba9876543210fedcba9876543210\n");
        assert_content(*state, "etc/ssh/authorized_keys/dev", "ssh-ed25519 AAAAother machine-shop\n");
        assert_content(*state, "etc/ssh/ssh_host_ed25519_key", "-----BEGIN OPENSSH PRIVATE KEY-----\nother\n");
}

static void a_bad_description_is_refused_and_nothing_is_touched(void **state)
{
        struct description bad[14];
        size_t count = 0;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *hostname = path_join(*state, "etc/hostname");

        need_sandbox();
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                bad[i] = (struct description)GOOD;
        bad[count++].hostname = "";
        bad[count++].hostname = "-x";
        bad[count++].hostname = "a/../b";
        bad[count++].hostname = "$(reboot)";
        bad[count++].machine_id = "0123";
        bad[count++].machine_id = "0123456789ABCDEF0123456789ABCDEF";
        bad[count++].user = "root";
        bad[count++].user = "../x";
        bad[count++].user = "ada";
        bad[count++].shell = "sh; reboot";
        bad[count++].host_key = "not base64!";
        bad[count++].authorized_key = "command=\"x\" ssh-ed25519 AAAA";
        bad[count++].more = "time never\n";
        bad[count++].more = "colour blue\n";
        assert_int_equal(count, ARRAY_SIZE(bad));
        for (size_t i = 0; i < count; i++) {
                assert_int_equal(apply(*state, &bad[i], &said), 1);
                assert_true(starts_with(said.buf, "machine: identity: "));
                assert_false(file_exists(hostname));
        }
        assert_int_equal(run(*state, "none", "", NULL, &said), 1);
}

static void a_description_for_another_user_says_so(void **state)
{
        struct description other = GOOD;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        need_sandbox();
        other.user = "ada";
        assert_int_equal(apply(*state, &other, &said), 1);
        assert_non_null(strstr(said.buf, "made for another user than 'ada'"));
}

static void a_host_key_that_is_none_is_not_left_behind(void **state)
{
        struct description bad = GOOD;
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;
        _cleanup_(freep) char *key = path_join(*state, "etc/ssh/ssh_host_ed25519_key");

        need_sandbox();
        bad.host_key = "bm8ga2V5Cg==";
        assert_int_equal(apply(*state, &bad, &said), 1);
        assert_non_null(strstr(said.buf, "not an OpenSSH private key"));
        assert_false(file_exists(key));
}

/* The sandbox may not reseed the kernel, so the machine must not go on: it would draw the same numbers as its template's
 * others. */
static void a_restored_machine_that_can_not_reseed_takes_on_nothing(void **state)
{
        const struct description good = GOOD;
        _cleanup_(freep) char *description = describe(&good);
        _cleanup_(freep) char *text = xasprintf("%s\n", description);
        _cleanup_(freep) char *answered = xasprintf("%smachine: identity: cannot reseed: Operation not permitted\n", text);
        _cleanup_(freep) char *port = path_join(*state, "lib/port");
        _cleanup_(freep) char *hostname = path_join(*state, "etc/hostname");
        _cleanup_(strbuf_clear) struct strbuf said = STRBUF_INIT;

        need_sandbox();
        scratch_write(port, text);
        assert_int_equal(run(*state, good.hostname, "", "/var/lib/machine/port", &said), 1);
        assert_content(*state, "lib/port", answered);
        assert_false(file_exists(hostname));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_good_description_is_applied_whole, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(the_same_description_again_writes_nothing, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(another_identity_replaces_the_first, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_bad_description_is_refused_and_nothing_is_touched, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_description_for_another_user_says_so, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_host_key_that_is_none_is_not_left_behind, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_restored_machine_that_can_not_reseed_takes_on_nothing, setup,
                                                scratch_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
