/* Which keys of the agent are lent to a project without `keys`, by an ssh configuration that the test writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "guest/lend.h"
#include "host/agent.h"
#include "lib/file.h"

#define ONE   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
#define TWO   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
#define THREE "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"

static int make_folder(void **state)
{
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-lend-XXXXXX");

        if (!mkdtemp(folder))
                return -1;
        setenv("MACHINE_SSH_DIR", folder, 1);
        *state = TAKE_PTR(folder);
        return 0;
}

static int remove_folder(void **state)
{
        int status = file_remove(*state, NULL);

        free(*state);
        return status;
}

static void write_file(void **state, const char *name, const char *text)
{
        _cleanup_(freep) char *path = path_join(*state, name);

        assert_int_equal(file_write_text(path, text, 0600, NULL), 0);
}

/* The numbers of the chosen keys, in order, such as "13"; or "all". */
static char *choose(const char *const *urls, size_t count, const char *signing_key)
{
        static const char *const keys[] = { ONE, TWO, THREE };
        struct project_repo repos[4] = { 0 };
        struct project project = { .repos = repos, .repo_count = count };
        _cleanup_(strv_clear) struct strv marks = STRV_INIT;
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        assert_true(count <= ARRAY_SIZE(repos));
        for (size_t i = 0; i < count; i++)
                repos[i].url = (char *)urls[i];
        lend_choose(&project, signing_key, &marks);
        for (size_t i = 0; i < marks.count; i++)
                for (size_t j = 0; j < ARRAY_SIZE(keys); j++) {
                        _cleanup_(freep) char *mark = agent_fingerprint(keys[j]);

                        if (streq(mark, marks.items[i]))
                                strbuf_addc(&out, (char)('1' + j));
                }
        assert_int_equal(out.len, marks.count);
        return marks.count > 0 ? strbuf_take(&out) : xstrdup("all");
}

static void assert_chosen(const char *wanted, const char *signing_key, const char *first, const char *second)
{
        const char *const urls[] = { first, second };
        _cleanup_(freep) char *chosen = choose(urls, first ? second ? 2 : 1 : 0, signing_key);

        assert_string_equal(chosen, wanted);
}

static void the_repos_hosts_and_the_commits_say_which(void **state)
{
        _cleanup_(freep) char *config = xasprintf("Host forge.example.org\n\tIdentityFile %s/one\n"
                                                  "Host other.example.org\n\tIdentityFile %s/two.pub\n\tPort 2222\n"
                                                  "Match host both.example.org user git\n\tIdentityFile %s/one\n"
                                                  "\tIdentityFile %s/two\n",
                                                  (char *)*state, (char *)*state, (char *)*state, (char *)*state);

        write_file(state, "one.pub", ONE " jane@laptop\n");
        write_file(state, "two.pub", TWO "\n");
        write_file(state, "config", config);
        assert_chosen("1", NULL, "git@forge.example.org:a/b.git", NULL);
        assert_chosen("2", NULL, "ssh://git@other.example.org:2222/a/b.git", NULL);
        assert_chosen("12", NULL, "git@forge.example.org:a/b.git", "ssh://git@other.example.org/a/c.git");
        assert_chosen("12", NULL, "git@both.example.org:a/b.git", NULL);
        assert_chosen("13", THREE, "git@forge.example.org:a/b.git", "https://elsewhere.example.org/a/c.git");
        assert_chosen("1", ONE " jane", "git@forge.example.org:a/b.git", "git@forge.example.org:a/c.git");
}

static void where_ssh_would_try_all_all_are_lent(void **state)
{
        _cleanup_(freep) char *config = xasprintf("Host forge.example.org\n\tIdentityFile %s/one\n"
                                                  "Host gone.example.org\n\tIdentityFile %s/gone\n"
                                                  "Host private.example.org\n\tIdentityFile %s/private\n",
                                                  (char *)*state, (char *)*state, (char *)*state);

        assert_chosen("all", NULL, "git@forge.example.org:a/b.git", NULL);
        write_file(state, "one.pub", ONE "\n");
        write_file(state, "private.pub", "-----BEGIN OPENSSH PRIVATE KEY-----\n");
        write_file(state, "config", config);
        assert_chosen("all", THREE, "git@forge.example.org:a/b.git", "git@unknown.example.org:a/c.git");
        assert_chosen("all", NULL, "git@gone.example.org:a/b.git", NULL);
        assert_chosen("all", NULL, "git@private.example.org:a/b.git", NULL);
        assert_chosen("all", THREE, "https://forge.example.org/a/b.git", NULL);
        assert_chosen("all", THREE, ".", NULL);
        assert_chosen("all", NULL, NULL, NULL);
        write_file(state, "config", "Nonsense yes\n");
        assert_chosen("all", NULL, "git@forge.example.org:a/b.git", NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(the_repos_hosts_and_the_commits_say_which, make_folder, remove_folder),
                cmocka_unit_test_setup_teardown(where_ssh_would_try_all_all_are_lent, make_folder, remove_folder),
        };

        return cmocka_run_group_tests_name("guest/lend", tests, NULL, NULL);
}
