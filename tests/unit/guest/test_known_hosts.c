/* Which host keys go into a guest. ssh-keygen is the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "guest/known_hosts.h"
#include "lib/file.h"
#include "lib/process.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

static void assert_added(const char *text, const char *host, const char *wanted)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        known_hosts_add(text, host, &out);
        assert_string_equal(out.buf, wanted);
}

static void only_key_lines_are_taken(void **state)
{
        assert_added("# a comment\n\n  \nexample.org ssh-ed25519 " KEY "\n", NULL, "example.org ssh-ed25519 " KEY "\n");
        assert_added("example.org ssh-ed25519\nnonsense\n@revoked\n", NULL, "");
        assert_added("example.org ssh-ed25519 " KEY, NULL, "example.org ssh-ed25519 " KEY "\n");
        assert_added("example.org ssh-ed25519 'rm'\nexample.org $(x) " KEY "\n", NULL, "");
}

static void nothing_else_of_the_line_leaves_the_host(void **state)
{
        assert_added("git.corp,10.1.2.3,secret.corp ssh-ed25519 " KEY " me@laptop\n", "git.corp",
                     "git.corp ssh-ed25519 " KEY "\n");
        assert_added("|1|c2FsdA==|aGFzaA== ssh-ed25519 " KEY "\n", "git.corp", "git.corp ssh-ed25519 " KEY "\n");
        assert_added("@cert-authority *.corp ssh-ed25519 " KEY " the corp\n", "git.corp",
                     "@cert-authority git.corp ssh-ed25519 " KEY "\n");
}

/* Makes a folder with the shipped keys and a person's own known_hosts. */
static int make_folder(void **state)
{
        static char folder[] = "/tmp/machine-known-hosts-XXXXXX";
        _cleanup_(freep) char *shipped = NULL;

        if (!mkdtemp(folder))
                return -1;
        shipped = path_join(folder, "data");
        if (symlink(SHARE_FOLDER, shipped) < 0)
                return -1;
        setenv("MACHINE_DATA_DIR", shipped, 1);
        setenv("MACHINE_SSH_DIR", folder, 1);
        *state = folder;
        return 0;
}

static int remove_folder(void **state)
{
        return file_remove(*state, NULL);
}

static void hosts_of_the_person_are_found_also_hashed(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(strv_clear) struct strv hosts = STRV_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *file = path_join(*state, "known_hosts");
        const char *const hash[] = { "ssh-keygen", "-q", "-H", "-f", file, NULL };

        assert_int_equal(file_write_text(file,
                                         "git.corp ssh-ed25519 " KEY " me@laptop\n"
                                         "[git.corp]:2222 ssh-rsa AAAA2222\n"
                                         "other.corp ssh-rsa AAAA3333\n",
                                         0600, NULL),
                         0);
        assert_int_equal(process_check(&(struct process_spec){ .argv = hash }, NULL, &error), 0);
        strv_adds(&hosts, "git.corp", "[git.corp]:2222", "unknown.corp", NULL);
        assert_int_equal(known_hosts_collect(&hosts, &out, &error), 0);
        assert_non_null(strstr(out.buf, "\ngit.corp ssh-ed25519 " KEY "\n"));
        assert_non_null(strstr(out.buf, "\n[git.corp]:2222 ssh-rsa AAAA2222\n"));
        assert_null(strstr(out.buf, "AAAA3333"));
        assert_null(strstr(out.buf, "laptop"));
        assert_null(strstr(out.buf, "unknown"));
}

static void the_shipped_keys_are_there_for_each_forge(void **state)
{
        static const char *const forges[] = { "github.com",    "[ssh.github.com]:443", "gitlab.com",
                                              "bitbucket.org", "codeberg.org",         "git.sr.ht" };
        static const char *const types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa" };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *file = path_join(*state, "merged");

        assert_int_equal(known_hosts_collect(&(struct strv)STRV_INIT, &out, &error), 0);
        assert_int_equal(file_write(file, out.buf, out.len, 0600, NULL), 0);
        for (size_t i = 0; i < ARRAY_SIZE(forges); i++) {
                const char *const find[] = { "ssh-keygen", "-F", forges[i], "-f", file, NULL };
                _cleanup_(strbuf_clear) struct strbuf found = STRBUF_INIT;

                assert_int_equal(process_check(&(struct process_spec){ .argv = find }, &found, &error), 0);
                for (size_t j = 0; j < ARRAY_SIZE(types); j++)
                        assert_non_null(strstr(found.buf, types[j]));
        }
}

static size_t count_fingerprints(const char *host)
{
        _cleanup_(strv_clear) struct strv marks = STRV_INIT;

        assert_int_equal(known_hosts_fingerprints(host, &marks, NULL), 0);
        for (size_t i = 0; i < marks.count; i++)
                assert_int_equal(strncmp(marks.items[i], "SHA256:", 7), 0);
        return marks.count;
}

static void a_host_is_known_by_each_key_that_can_prove_it(void **state)
{
        _cleanup_(freep) char *file = path_join(*state, "known_hosts");

        assert_int_equal(file_write_text(file, "", 0600, NULL), 0);
        assert_int_equal(count_fingerprints("github.com"), 3);
        assert_int_equal(count_fingerprints("git.corp"), 0);
        assert_int_equal(file_write_text(file,
                                         "@revoked github.com ssh-ed25519 " KEY "\n"
                                         "@cert-authority git.corp ssh-ed25519 " KEY "\n"
                                         "git.corp ssh-dss " KEY "\n"
                                         "git.corp ssh-rsa " KEY "\n",
                                         0600, NULL),
                         0);
        assert_int_equal(count_fingerprints("github.com"), 2);
        assert_int_equal(count_fingerprints("git.corp"), 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(only_key_lines_are_taken),
                cmocka_unit_test(nothing_else_of_the_line_leaves_the_host),
                cmocka_unit_test(hosts_of_the_person_are_found_also_hashed),
                cmocka_unit_test(the_shipped_keys_are_there_for_each_forge),
                cmocka_unit_test(a_host_is_known_by_each_key_that_can_prove_it),
        };

        return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
