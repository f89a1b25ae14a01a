/* What git in the guest is told, read back by the real git. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "guest/commits.h"
#include "lib/file.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGF7BE1F4NBI0pi9x8LeDLAZEc0Tt5jfmWoBzanaRuPA"

static char *ask(const struct commits *commits, const char *key)
{
        char path[] = "/tmp/machine-commits-XXXXXX";
        const char *const argv[] = { "git", "config", "--file", path, "--get", key, NULL };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
        _cleanup_(closep) int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(file_write_text(path, commits->config, 0600, NULL), 0);
        assert_int_equal(process_run(&(struct process_spec){ .argv = argv }, &result, NULL), 0);
        unlink(path);
        if (result.out.len > 0 && result.out.buf[result.out.len - 1] == '\n')
                strbuf_truncate(&result.out, result.out.len - 1);
        return result.status == 0 ? strbuf_take(&result.out) : NULL;
}

static void names_arrive_as_they_are(void **state)
{
        static const char *const names[] = { "Jane Doe", "Jane \"Q\" Doe", "back\\slash", "# no comment ; here", " spaces ",
                                             "Zoë",      "two\nlines" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                struct committer committer = { .name = (char *)names[i], .email = (char *)"jane@example.org" };
                _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;
                _cleanup_(freep) char *said = NULL;

                commits_describe(&committer, true, &commits);
                said = ask(&commits, "user.name");
                assert_string_equal(said, names[i]);
        }
}

static void with_a_key_and_an_agent_commits_are_signed(void **state)
{
        struct committer committer = { .name = (char *)"Jane",
                                       .email = (char *)"jane@example.org",
                                       .signing_key = (char *)KEY };
        _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;
        _cleanup_(freep) char *signs = NULL;
        _cleanup_(freep) char *key = NULL;

        commits_describe(&committer, true, &commits);
        signs = ask(&commits, "commit.gpgsign");
        key = ask(&commits, "user.signingkey");
        assert_string_equal(signs, "true");
        assert_string_equal(key, "key::" KEY);
        assert_string_equal(commits.signers, "jane@example.org namespaces=\"git\" " KEY "\n");
        assert_null(commits.note);
}

static void without_an_agent_they_are_not(void **state)
{
        struct committer committer = { .name = (char *)"Jane",
                                       .email = (char *)"jane@example.org",
                                       .signing_key = (char *)KEY };
        _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;
        _cleanup_(freep) char *signs = NULL;

        commits_describe(&committer, false, &commits);
        signs = ask(&commits, "commit.gpgsign");
        assert_null(signs);
        assert_string_equal(commits.signers, "");
        assert_null(commits.note);
}

static void what_is_missing_is_said(void **state)
{
        struct committer nobody = COMMITTER_INIT;
        struct committer unsigned_ = { .name = (char *)"J",
                                       .email = (char *)"j@example.org",
                                       .unsigned_why = (char *)"no such luck" };
        _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;

        commits_describe(&nobody, true, &commits);
        assert_non_null(strstr(commits.note, "no user.name"));
        commits_describe(&unsigned_, true, &commits);
        assert_non_null(strstr(commits.note, "no such luck"));
}

static void an_address_that_is_a_pattern_signs_for_nobody(void **state)
{
        static const char *const addresses[] = { "*", "a,b@example.org", "a b@example.org", "!a@example.org", "a\nb", "#a" };

        for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
                struct committer committer = { .name = (char *)"J", .email = (char *)addresses[i], .signing_key = (char *)KEY };
                _cleanup_(commits_clear) struct commits commits = COMMITS_INIT;

                commits_describe(&committer, true, &commits);
                assert_string_equal(commits.signers, "");
        }
}

static void every_change_has_another_hash(void **state)
{
        struct committer committer = { .name = (char *)"Jane",
                                       .email = (char *)"jane@example.org",
                                       .signing_key = (char *)KEY };
        _cleanup_(commits_clear) struct commits first = COMMITS_INIT;
        _cleanup_(commits_clear) struct commits second = COMMITS_INIT;

        commits_describe(&committer, true, &first);
        commits_describe(&committer, true, &second);
        assert_string_equal(first.hash, second.hash);
        commits_describe(&committer, false, &second);
        assert_string_not_equal(first.hash, second.hash);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(names_arrive_as_they_are),
                cmocka_unit_test(with_a_key_and_an_agent_commits_are_signed),
                cmocka_unit_test(without_an_agent_they_are_not),
                cmocka_unit_test(what_is_missing_is_said),
                cmocka_unit_test(an_address_that_is_a_pattern_signs_for_nobody),
                cmocka_unit_test(every_change_has_another_hash),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
