/* The Host block, as ssh itself reads it (`ssh -G`), also for paths that need quoting. */
#include "scratch.h"

#include "host/ssh_config.h"
#include "lib/process.h"
#include "lib/strv.h"

static struct ssh_host blog(const char *folder)
{
        return (struct ssh_host){ .name = "blog", .folder = folder, .user = "me", .program = "/usr/bin/machine" };
}

/* What `ssh -G` makes of a configuration: "keyword value" lines. Owned by the caller. */
static char *as_ssh_reads(void **state, const char *text)
{
        _cleanup_(freep) char *file = xasprintf("%s/ssh_config.test", (const char *)*state);
        const char *const argv[] = { "ssh", "-T", "-G", "-F", file, "machine-blog", NULL };
        _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;

        scratch_write(file, text);
        assert_int_equal(process_run(&(struct process_spec){ .argv = argv }, &result, NULL), 0);
        if (result.status != 0)
                print_error("%s", result.err.buf);
        assert_int_equal(result.status, 0);
        assert_string_equal(result.err.buf, "");
        return xasprintf("\n%s", result.out.buf);
}

static void assert_line(const char *read, const char *line)
{
        _cleanup_(freep) char *whole = xasprintf("\n%s\n", line);

        if (!strstr(read, whole))
                print_error("no line '%s' in:%s", line, read);
        assert_non_null(strstr(read, whole));
}

static char *block_as_ssh_reads(void **state, const struct ssh_host *host)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        ssh_config_block(host, &text);
        return as_ssh_reads(state, text.buf);
}

static void ssh_reads_the_block_as_it_was_meant(void **state)
{
        struct ssh_host host = blog("/srv/vms/blog");
        _cleanup_(freep) char *read = block_as_ssh_reads(state, &host);

        assert_line(read, "hostname machine-blog");
        assert_line(read, "hostkeyalias machine-blog");
        assert_line(read, "user me");
        assert_line(read, "identityfile /srv/vms/blog/id_ed25519");
        assert_line(read, "identitiesonly yes");
        assert_line(read, "userknownhostsfile /srv/vms/blog/known_hosts");
        assert_line(read, "globalknownhostsfile /dev/null");
        assert_line(read, "stricthostkeychecking true");
        assert_line(read, "hostkeyalgorithms ssh-ed25519");
        assert_line(read, "checkhostip no");
        assert_line(read, "updatehostkeys false");
        assert_line(read, "proxycommand /usr/bin/machine proxy blog");
        assert_line(read, "proxyusefdpass yes");
        assert_line(read, "forwardagent no");
        assert_line(read, "identityagent none");
        assert_line(read, "addkeystoagent false");
        assert_line(read, "preferredauthentications publickey");
}

static void the_agent_is_forwarded_only_when_asked_for(void **state)
{
        struct ssh_host host = blog("/srv/vms/blog");
        _cleanup_(freep) char *read = NULL;

        host.forward_agent = true;
        read = block_as_ssh_reads(state, &host);
        assert_line(read, "forwardagent yes");
        assert_null(strstr(read, "\nidentityagent "));
}

/* ssh takes the first value, and the block comes before whatever the user sets for all hosts. */
static void a_users_settings_for_all_hosts_do_not_weaken_the_block(void **state)
{
        struct ssh_host host = blog("/srv/vms/blog");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *read = NULL;

        ssh_config_block(&host, &text);
        strbuf_adds(&text, "Host *\n"
                           "  ForwardAgent yes\n"
                           "  ForwardX11 yes\n"
                           "  StrictHostKeyChecking no\n"
                           "  UserKnownHostsFile /dev/null\n"
                           "  HostKeyAlgorithms ssh-rsa\n"
                           "  ProxyJump elsewhere\n"
                           "  User root\n"
                           "  VerifyHostKeyDNS yes\n"
                           "  UpdateHostKeys yes\n"
                           "  AddKeysToAgent yes\n"
                           "  IdentityAgent SSH_AUTH_SOCK\n"
                           "  PreferredAuthentications password\n");
        read = as_ssh_reads(state, text.buf);
        assert_line(read, "forwardagent no");
        assert_line(read, "identityagent none");
        assert_line(read, "forwardx11 no");
        assert_line(read, "stricthostkeychecking true");
        assert_line(read, "userknownhostsfile /srv/vms/blog/known_hosts");
        assert_line(read, "hostkeyalgorithms ssh-ed25519");
        assert_line(read, "proxycommand /usr/bin/machine proxy blog");
        assert_line(read, "user me");
        assert_line(read, "verifyhostkeydns false");
        assert_line(read, "updatehostkeys false");
        assert_line(read, "addkeystoagent false");
        assert_line(read, "preferredauthentications publickey");
}

/* ssh must read these folder names back unchanged, or it can't find the key there. */
static void odd_paths_survive_ssh(void **state)
{
        static const char *const names[] = { "with space", "per%cent%h", "quo\"te",     "apo'strophe", "back\\slash",
                                             "ha#sh",      "tab\there",  "dollar$HOME", "ünïcode" };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *folder = xasprintf("%s/%s", (const char *)*state, names[i]);
                struct ssh_host host = blog(folder);
                _cleanup_(freep) char *read = block_as_ssh_reads(state, &host);
                _cleanup_(strbuf_clear) struct strbuf doubled = STRBUF_INIT;
                _cleanup_(freep) char *line = NULL;

                /* -G prints the word before tokens are expanded, so with %%. */
                for (const char *c = folder; *c; c++)
                        strbuf_addf(&doubled, *c == '%' ? "%%%%" : "%c", *c);
                line = xasprintf("identityfile %s/id_ed25519", doubled.buf);
                print_message("%s\n", names[i]);
                assert_line(read, line);
        }
}

/* The line goes to the user's shell. Here a program with a hostile name records its arguments. */
static void an_odd_program_is_run_with_its_arguments(void **state)
{
        static const char *const names[] = {
                "my machine", "ma'chine", "ma$(false)chine", "ma%hchine", "ma\"chine", "ma;chine"
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_(freep) char *program = xasprintf("%s/%s", (const char *)*state, names[i]);
                _cleanup_(freep) char *said = xasprintf("%s/said", (const char *)*state);
                _cleanup_(freep) char *script = xasprintf("#!/bin/sh\necho \"$# $1 $2\" >'%s'\n", said);
                _cleanup_(freep) char *file = xasprintf("%s/ssh_config.test", (const char *)*state);
                const char *const argv[] = { "ssh", "-F", file, "machine-blog", "true", NULL };
                _cleanup_(process_result_clear) struct process_result result = PROCESS_RESULT_INIT;
                _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
                struct ssh_host host = blog(*state);
                _cleanup_(freep) char *got = NULL;

                host.program = program;
                assert_int_equal(file_remove(said, NULL), 0);
                assert_int_equal(file_write_text(program, script, 0755, NULL), 0);
                ssh_config_block(&host, &text);
                scratch_write(file, text.buf);
                assert_int_equal(process_run(&(struct process_spec){ .argv = argv }, &result, NULL), 0);
                print_message("%s\n", names[i]);
                got = scratch_read(said);
                assert_string_equal(got, "2 proxy blog\n");
        }
}

static void our_own_file_shares_one_connection(void **state)
{
        _cleanup_(freep) char *folder = xasprintf("%s/own", (const char *)*state);
        _cleanup_(freep) char *path = path_join(folder, "ssh_config");
        _cleanup_(freep) char *read = NULL;
        _cleanup_(freep) char *text = NULL;
        struct ssh_host host = blog(folder);

        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_int_equal(ssh_config_write_own(&host, "/run/user/1000/machine/blog/master", NULL), 0);
        assert_int_equal(scratch_mode(path), 0600);
        text = scratch_read(path);
        read = as_ssh_reads(state, text);
        assert_line(read, "controlmaster auto");
        assert_line(read, "controlpath /run/user/1000/machine/blog/master");
        assert_line(read, "controlpersist 600");
        assert_line(read, "loglevel ERROR");
        assert_line(read, "batchmode yes");
        assert_line(read, "stricthostkeychecking true");
        assert_non_null(strstr(read, "\nkexalgorithms curve25519-sha256,"));
}

static void a_control_path_that_ssh_could_not_use_is_left_out(void **state)
{
        static const struct {
                size_t length;
                const char *line;
        } table[] = { { 86, "controlmaster auto" }, { 87, "controlmaster false" } };
        _cleanup_(freep) char *path = xasprintf("%s/ssh_config", (const char *)*state);
        struct ssh_host host = blog(*state);

        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                _cleanup_(freep) char *control = xasprintf("/%0*d", (int)table[i].length - 1, 0);
                _cleanup_(freep) char *text = NULL;
                _cleanup_(freep) char *read = NULL;

                assert_int_equal(ssh_config_write_own(&host, control, NULL), 0);
                text = scratch_read(path);
                read = as_ssh_reads(state, text);
                assert_line(read, table[i].line);
        }
}

static void what_no_quoting_can_express_is_refused(void **state)
{
        static const struct {
                const char *folder, *program, *user, *control;
        } wrong[] = {
                { "/srv/a\nProxyCommand evil", "/usr/bin/machine", "me", "/run/m" },
                { "/srv/${HOME}", "/usr/bin/machine", "me", "/run/m" },
                { "/srv/a", "/usr/bin/ma\nchine", "me", "/run/m" },
                { "/srv/a", "/usr/bin/machine", "me\nProxyCommand evil", "/run/m" },
                { "/srv/a", "/usr/bin/machine", "", "/run/m" },
                { "/srv/a", "/usr/bin/machine", "two words", "/run/m" },
                { "/srv/a", "/usr/bin/machine", "me", "/run/m\nLocalCommand evil" },
        };

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                struct ssh_host host = {
                        .name = "blog", .folder = wrong[i].folder, .program = wrong[i].program, .user = wrong[i].user
                };
                _cleanup_(error_freep) struct error *err = NULL;

                assert_int_equal(ssh_config_write_own(&host, wrong[i].control, &err), -1);
                assert_non_null(strstr(err->cause->message, "can't be written into an ssh configuration"));
        }
}

static void a_missing_folder_is_an_error(void **state)
{
        struct ssh_host host = blog("/nonexistent/blog");

        assert_int_equal(ssh_config_write_own(&host, "/run/m", NULL), -1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ssh_reads_the_block_as_it_was_meant),
                cmocka_unit_test(the_agent_is_forwarded_only_when_asked_for),
                cmocka_unit_test(a_users_settings_for_all_hosts_do_not_weaken_the_block),
                cmocka_unit_test(odd_paths_survive_ssh),
                cmocka_unit_test(an_odd_program_is_run_with_its_arguments),
                cmocka_unit_test(our_own_file_shares_one_connection),
                cmocka_unit_test(a_control_path_that_ssh_could_not_use_is_left_out),
                cmocka_unit_test(what_no_quoting_can_express_is_refused),
                cmocka_unit_test(a_missing_folder_is_an_error),
        };

        return cmocka_run_group_tests_name("host/ssh-config", tests, scratch_setup, scratch_teardown);
}
