/* projects.toml: what it gives, and every mistake with its place. */
#include <unistd.h>

#include "mistakes.h"

#include "lib/file.h"
#include "lib/text.h"

#define GIB       (INT64_C(1) << 30)
#define NAME_RULE "names have a-z, 0-9 and '-', start and end with a letter or digit, and have at most 40 characters"

static void parse(const char *text, struct projects *projects)
{
        struct error *error = NULL;

        if (projects_parse(text, strlen(text), "p.toml", projects, &error) < 0) {
                _cleanup_(freep) char *said = mistakes_text(error);

                error_free(error);
                fail_msg("%s", said);
        }
}

static void an_empty_file_has_no_projects(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        parse("", &projects);
        assert_int_equal(projects.count, 0);
        assert_string_equal(projects.file, "p.toml");
        assert_null(projects_find(&projects, "blog"));
}

static void an_empty_table_is_a_project_with_all_defaults(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        const struct project *blog;
        long processors = sysconf(_SC_NPROCESSORS_ONLN);

        parse("\n  [blog]\n", &projects);
        blog = projects_find(&projects, "blog");
        assert_non_null(blog);
        assert_string_equal(blog->name, "blog");
        assert_string_equal(blog->file, "p.toml");
        assert_int_equal(blog->line, 2);
        assert_int_equal(blog->column, 4);
        assert_null(blog->checkout);
        assert_int_equal(blog->repo_count, 0);
        assert_int_equal(blog->profiles.count, 0);
        assert_string_equal(blog->shell, "zsh");
        assert_string_equal(blog->engine, "auto");
        assert_false(blog->forward_agent);
        assert_false(blog->lan || blog->lan_given || blog->weaker_line);
        assert_int_equal(blog->cpus, processors < 4 ? processors : 4);
        assert_int_equal(blog->memory_bytes, 4 * GIB);
        assert_int_equal(blog->disk_bytes, 30 * GIB);
        assert_int_equal(blog->port_count, 0);
}

static void every_key_reaches_the_project(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        const struct project *blog;

        parse("[blog]\nrepos = ['git@example.org:jane/blog.git', 'https://example.org/theme/']\nprofiles = ['node', 'docker']\n"
              "shell = 'bash'\nforward_agent = true\ncpus = 2\nmemory = '6GiB'\ndisk = 40\nengine = 'qemu'\n"
              "ports = [3000, '8080:80']\nlan = false\nweaker_line = true\n",
              &projects);
        blog = projects_find(&projects, "blog");
        assert_int_equal(blog->repo_count, 2);
        assert_true(blog->repos_given);
        assert_string_equal(blog->repos[0].url, "git@example.org:jane/blog.git");
        assert_string_equal(blog->repos[0].name, "blog");
        assert_int_equal(blog->repos[0].line, 2);
        assert_int_equal(blog->repos[0].column, 10);
        assert_string_equal(blog->repos[1].name, "theme");
        assert_int_equal(blog->profiles.count, 2);
        assert_string_equal(blog->profiles.items[1], "docker");
        assert_string_equal(blog->shell, "bash");
        assert_true(blog->forward_agent);
        assert_int_equal(blog->cpus, 2);
        assert_int_equal(blog->memory_bytes, 6 * GIB);
        assert_int_equal(blog->disk_bytes, 40 * GIB);
        assert_string_equal(blog->engine, "qemu");
        assert_int_equal(blog->port_count, 2);
        assert_int_equal(blog->ports[0].host, 3000);
        assert_int_equal(blog->ports[0].guest, 3000);
        assert_int_equal(blog->ports[1].host, 8080);
        assert_int_equal(blog->ports[1].guest, 80);
        assert_int_equal(blog->ports[1].column, 16);
        assert_false(blog->lan);
        assert_true(blog->lan_given && blog->weaker_line);
}

/* 64 hexadecimal digits. */
#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void an_image_is_a_file_or_a_url_with_its_digest(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        const struct project *blog;

        parse("[blog]\nimage = 'https://example.org/debian.qcow2'\nimage_digest = 'sha512:" DIGITS DIGITS "'\n"
              "[file]\nimage = '/srv/debian.qcow2'\n",
              &projects);
        blog = projects_find(&projects, "blog");
        assert_string_equal(blog->image, "https://example.org/debian.qcow2");
        assert_string_equal(blog->image_digest, "sha512:" DIGITS DIGITS);
        assert_string_equal(projects_find(&projects, "file")->image, "/srv/debian.qcow2");
        assert_null(projects_find(&projects, "file")->image_digest);
        assert_projects_mistakes("[blog]\nimage = 'https://example.org/debian.qcow2'\n",
                                 "p.toml:2:1: an 'image' from a URL needs its 'image_digest' [image_digest = "
                                 "\"sha512:…\", as the publisher gives it]\n");
        assert_projects_mistakes("[blog]\nimage_digest = 'sha256:" DIGITS "'\n",
                                 "p.toml:2:1: 'image_digest' without 'image' [take it out]\n");
        assert_projects_mistakes("[blog]\nimage = 'debian.qcow2'\n",
                                 "p.toml:2:9: 'debian.qcow2' is neither the absolute path of an image nor its https URL "
                                 "[write it without spaces, quotes and braces]\n");
        assert_projects_mistakes("[blog]\nimage = '/srv/{{.Name}}'\n",
                                 "p.toml:2:9: '/srv/{{.Name}}' is neither the absolute path of an image nor its https URL "
                                 "[write it without spaces, quotes and braces]\n");
        assert_projects_mistakes("[blog]\nimage = '/a'\nimage_digest = 'sha256:" DIGITS "0'\n",
                                 "p.toml:3:16: 'sha256:" DIGITS "0' is not a digest [write sha256: and 64, or sha512: and 128 "
                                 "hexadecimal digits, as the publisher gives them]\n");
}

static void secrets_are_named_and_not_written_down(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        const struct project *blog;

        parse("[blog]\nop_env = ['abc1', 'abc2']\n[blog.secrets]\nTOKEN = 'op://a/b/c'\nDB = 'command:get db'\n", &projects);
        blog = projects_find(&projects, "blog");
        assert_int_equal(blog->secret_count, 2);
        assert_string_equal(blog->secrets[0].name, "TOKEN");
        assert_string_equal(blog->secrets[1].source, "command:get db");
        assert_int_equal(blog->secrets[1].line, 5);
        assert_int_equal(blog->environments.count, 2);
        assert_projects_mistakes("[blog.secrets]\nTOKEN = 'hunter2'\n",
                                 "p.toml:2:9: not a secret source [op://VAULT/ITEM/FIELD, pass:PATH, file:PATH, "
                                 "keychain:ITEM, env:NAME or command:PROGRAM ARG…]\n");
        assert_projects_mistakes("[blog.secrets]\n\"a-b\" = 'env:A'\n",
                                 "p.toml:2:1: 'a-b' can't be the name of a secret [it becomes a variable of the environment: "
                                 "letters, digits and _]\n");
        assert_projects_mistakes("[blog.secrets]\nA = 1\n",
                                 "p.toml:2:5: the source of 'A' must be a string, not a whole number\n");
        assert_projects_mistakes("[blog]\nsecrets = 'x'\n", "p.toml:2:11: 'secrets' must be a table, not a string\n");
        assert_projects_mistakes(
                "[blog]\nop_env = ['../x']\n",
                "p.toml:2:11: '../x' is not the ID of a 1Password Environment [the app copies it: View environments, "
                "Manage environment, Copy environment ID]\n");
}

static void defaults_of_the_file_hold_where_a_table_says_nothing(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        /* An inline table may come before the defaults. */
        parse("early = {}\ndefault_shell = 'bash'\ndefault_profile = 'node'\n[late]\n[own]\nshell = 'zsh'\nprofiles = ['rust']\n[bare]\nprofiles = []\n",
              &projects);
        assert_string_equal(projects_find(&projects, "early")->shell, "bash");
        assert_string_equal(projects_find(&projects, "early")->profiles.items[0], "node");
        assert_string_equal(projects_find(&projects, "late")->shell, "bash");
        assert_string_equal(projects_find(&projects, "own")->shell, "zsh");
        assert_int_equal(projects_find(&projects, "own")->profiles.count, 1);
        assert_string_equal(projects_find(&projects, "own")->profiles.items[0], "rust");
        assert_int_equal(projects_find(&projects, "bare")->profiles.count, 0);
}

static void unknown_keys_are_mistakes_with_a_suggestion(void **state)
{
        assert_projects_mistakes("[blog]\ncpu = 2\n", "p.toml:2:1: unknown key 'cpu' [did you mean 'cpus'?]\n");
        assert_projects_mistakes("[blog]\n  repo = []\n", "p.toml:2:3: unknown key 'repo' [did you mean 'repos'?]\n");
        assert_projects_mistakes(
                "[blog]\ncolour = 1\n",
                "p.toml:2:1: unknown key 'colour' [known keys: secrets, op_env, repos, profiles, setup, shell, forward_agent, keys, key_hosts, confirm, cpus, memory, "
                "disk, engine, image, image_digest, ports, lan, egress, allow, weaker_line, cold, park_after, wake_on]\n");
        assert_projects_mistakes(
                "[blog]\n[blog.vm]\ncpus = 2\n",
                "p.toml:2:7: unknown key 'vm' [known keys: secrets, op_env, repos, profiles, setup, shell, forward_agent, keys, key_hosts, confirm, cpus, memory, disk, "
                "engine, image, image_digest, ports, lan, egress, allow, weaker_line, cold, park_after, wake_on]\n");
        assert_projects_mistakes("default_shel = 'zsh'\n",
                                 "p.toml:1:1: unknown key 'default_shel' [did you mean 'default_shell'?]\n");
}

static void a_projects_key_at_the_top_is_told_where_it_goes(void **state)
{
        assert_projects_mistakes("cpus = 2\n", "p.toml:1:1: unknown key 'cpus' [put it below the [NAME] of a project]\n");
        assert_projects_mistakes("[[blog]]\n", "p.toml:1:3: unknown key 'blog' [a project is a table, written [blog]]\n");
}

static void wrong_types_are_said_in_words(void **state)
{
        assert_projects_mistakes("[blog]\ncpus = '2'\n", "p.toml:2:8: 'cpus' must be a whole number, not a string\n");
        assert_projects_mistakes("[blog]\ncpus = 1.5\n", "p.toml:2:8: 'cpus' must be a whole number, not a number\n");
        assert_projects_mistakes("[blog]\nlan = 1\n", "p.toml:2:7: 'lan' must be true or false, not a whole number\n");
        assert_projects_mistakes("[blog]\nforward_agent = 'yes'\n",
                                 "p.toml:2:17: 'forward_agent' must be true or false, not a string\n");
        assert_projects_mistakes("[blog]\nrepos = 'git@example.org:x'\n",
                                 "p.toml:2:9: 'repos' must be a list of URLs, not a string\n");
        assert_projects_mistakes("[blog]\nrepos = [1]\n",
                                 "p.toml:2:10: an item of 'repos' must be a string, not a whole number\n");
        assert_projects_mistakes("[blog]\nprofiles = [[]]\n",
                                 "p.toml:2:13: an item of 'profiles' must be a string, not an array\n");
        assert_projects_mistakes("[blog]\nports = [1.5]\n",
                                 "p.toml:2:10: an item of 'ports' must be a whole number or a string, not a number\n");
        assert_projects_mistakes("[blog]\nshell = true\n", "p.toml:2:9: 'shell' must be 'zsh' or 'bash', not true or false\n");
        assert_projects_mistakes("default_shell = ['zsh']\n",
                                 "p.toml:1:17: 'default_shell' must be 'zsh' or 'bash', not an array\n");
        assert_projects_mistakes("[default_shell]\n", "p.toml:1:1: 'default_shell' must be 'zsh' or 'bash', not a table\n");
}

static void ranges_are_part_of_the_message(void **state)
{
        assert_projects_mistakes("[blog]\ncpus = 0\n", "p.toml:2:8: 'cpus' must be between 1 and 256, not 0\n");
        assert_projects_mistakes("[blog]\ncpus = 257\n", "p.toml:2:8: 'cpus' must be between 1 and 256, not 257\n");
        assert_projects_mistakes("[blog]\nmemory = '511MiB'\n", "p.toml:2:10: 'memory' must be between 512 MiB and 4.0 TiB\n");
        assert_projects_mistakes("[blog]\nmemory = 0\n", "p.toml:2:10: 'memory' must be between 512 MiB and 4.0 TiB\n");
        assert_projects_mistakes("[blog]\nmemory = 9223372036854775807\n",
                                 "p.toml:2:10: 'memory' must be between 512 MiB and 4.0 TiB\n");
        assert_projects_mistakes("[blog]\ndisk = 3\n", "p.toml:2:8: 'disk' must be between 4.0 GiB and 64 TiB\n");
        assert_projects_mistakes("[blog]\ndisk = 'lots'\n", "p.toml:2:8: 'disk' can't be 'lots', which is not a size "
                                                            "[write 8 for 8 GiB, or a size such as \"8GiB\" or \"512MiB\"]\n");
}

static void choices_are_part_of_the_message(void **state)
{
        assert_projects_mistakes("[blog]\nshell = 'bsh'\n",
                                 "p.toml:2:9: 'shell' must be 'zsh' or 'bash', not 'bsh' [did you mean 'zsh'?]\n");
        assert_projects_mistakes("[blog]\nshell = 'fish'\n", "p.toml:2:9: 'shell' must be 'zsh' or 'bash', not 'fish'\n");
        assert_projects_mistakes("[blog]\nengine = 'QEMU'\n",
                                 "p.toml:2:10: 'engine' must be 'auto', 'qemu' or 'lima', not 'QEMU'\n");
}

static void all_mistakes_of_a_file_are_told_in_the_order_of_their_places(void **state)
{
        assert_projects_mistakes("default_shell = 'fish'\n[blog]\ncpus = 0\nrepo = []\n\n[Shop]\nlan = 'no'\n",
                                 "p.toml:1:17: 'default_shell' must be 'zsh' or 'bash', not 'fish'\n"
                                 "p.toml:3:8: 'cpus' must be between 1 and 256, not 0\n"
                                 "p.toml:4:1: unknown key 'repo' [did you mean 'repos'?]\n"
                                 "p.toml:6:2: 'Shop' can't be a project's name [call it 'shop': " NAME_RULE "]\n"
                                 "p.toml:7:7: 'lan' must be true or false, not a string\n");
}

static void names_are_checked(void **state)
{
        assert_projects_mistakes("['My App']\n",
                                 "p.toml:1:2: 'My App' can't be a project's name [call it 'my-app': " NAME_RULE "]\n");
        assert_projects_mistakes("[-x]\n", "p.toml:1:2: '-x' can't be a project's name [call it 'x': " NAME_RULE "]\n");
        assert_projects_mistakes("['../etc']\n",
                                 "p.toml:1:2: '../etc' can't be a project's name [call it 'etc': " NAME_RULE "]\n");
        assert_projects_mistakes("['']\n", "p.toml:1:2: '' can't be a project's name [" NAME_RULE "]\n");
        assert_projects_mistakes("[\"a\\u001b[2K\"]\n",
                                 "p.toml:1:2: 'a\\x1b[2K' can't be a project's name [call it 'a-2k': " NAME_RULE "]\n");
        assert_projects_mistakes("[blog]\nprofiles = ['../../etc/passwd']\n",
                                 "p.toml:2:13: '../../etc/passwd' can't be a profile's name [" NAME_RULE "]\n");
        assert_projects_mistakes("[blog]\nprofiles = ['']\n", "p.toml:2:13: '' can't be a profile's name [" NAME_RULE "]\n");
        assert_projects_mistakes("default_profile = 'A'\n", "p.toml:1:19: 'A' can't be a profile's name [" NAME_RULE "]\n");
        assert_projects_mistakes("[blog]\nprofiles = ['node', 'node']\n", "p.toml:2:21: 'node' is in 'profiles' twice\n");
}

static void ports_are_checked(void **state)
{
        static const char hint[] = "[write 3000, or \"8080:80\" for the host's port 8080 and the guest's port 80]\n";
        static const char *const texts[] = { "3000", "80:http", "0:80",  "80:0",  "65536:1", "1:65536",
                                             ":80",  "80:",     "-1:80", "1:2:3", "" };

        assert_projects_mistakes("[blog]\nports = [0]\n", "p.toml:2:10: a port must be between 1 and 65535, not 0\n");
        assert_projects_mistakes("[blog]\nports = [-1]\n", "p.toml:2:10: a port must be between 1 and 65535, not -1\n");
        assert_projects_mistakes("[blog]\nports = [65536]\n", "p.toml:2:10: a port must be between 1 and 65535, not 65536\n");
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                _cleanup_(freep) char *file = xasprintf("[blog]\nports = ['%s']\n", texts[i]);
                _cleanup_(freep) char *expected = xasprintf("p.toml:2:10: '%s' is not a pair of ports %s", texts[i], hint);

                assert_projects_mistakes(file, expected);
        }
}

static void a_host_port_can_be_had_once(void **state)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        assert_projects_mistakes("[blog]\nports = [3000, '8080:80', '3000:80']\n",
                                 "p.toml:2:27: the host's port 3000 is in 'ports' twice "
                                 "[give the guest's port another one on the host: \"3001:80\"]\n");
        parse("[blog]\nports = ['8080:80', '8081:80']\n[shop]\nports = [8080]\n", &projects);
        assert_int_equal(projects.count, 2);
}

static void lists_have_limits(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        strbuf_adds(&text, "[blog]\nports = [1");
        for (int i = 2; i <= 65; i++)
                strbuf_addf(&text, ", %d", i);
        strbuf_adds(&text, "]\n");
        assert_projects_mistakes(text.buf, "p.toml:2:9: 'ports' has 65 items, at most 64 are allowed\n");
}

static void repos_that_would_share_a_folder_are_a_mistake(void **state)
{
        assert_projects_mistakes(
                "[blog]\nrepos = ['https://a.example/x.git', 'https://b.example/x/']\n",
                "p.toml:2:37: 'https://a.example/x.git' and 'https://b.example/x/' would both become the folder "
                "'~/code/x' [take one of them out]\n");
        assert_projects_mistakes(
                "[blog]\nrepos = ['work:x', 'work:x']\n",
                "p.toml:2:20: 'work:x' and 'work:x' would both become the folder '~/code/x' [take one of them out]\n");
}

static void a_repo_without_a_folder_name_is_a_mistake(void **state)
{
        static const char *const urls[] = { "https://example.org", "https://example.org//", "https://example.org/.git",
                                            "host:..", "host:a/-x" };

        for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
                _cleanup_(freep) char *file = xasprintf("[blog]\nrepos = ['%s']\n", urls[i]);
                _cleanup_(freep) char *expected = xasprintf(
                        "p.toml:2:10: '%s' gives no folder name for a clone "
                        "[its last part must begin with a letter or digit, and have only letters, digits and . _ + %% @ , = -]\n",
                        urls[i]);

                assert_projects_mistakes(file, expected);
        }
}

static void the_checkout_is_no_repo_of_projects_toml(void **state)
{
        assert_projects_mistakes("[blog]\nrepos = ['.']\n", "p.toml:2:10: '.' stands for the checkout, and there is none here "
                                                            "[write the repo's URL, or repos = [\".\"] in a .machine.toml]\n");
}

static void a_url_that_git_would_take_for_an_option_is_refused_at_its_place(void **state)
{
        assert_projects_mistakes("[blog]\nrepos = ['work:x', '--upload-pack=touch /tmp/x']\n",
                                 "p.toml:2:20: '--upload-pack=touch /tmp/x' can't be a repo's URL: it begins with a dash "
                                 "[write it as https://HOST/PATH or USER@HOST:PATH]\n");
        assert_projects_mistakes("[blog]\nrepos = ['ssh://-oProxyCommand=id/x']\n",
                                 "p.toml:2:10: 'ssh://-oProxyCommand=id/x' can't be a repo's URL: its host begins with a dash "
                                 "[write it as https://HOST/PATH or USER@HOST:PATH]\n");
        assert_projects_mistakes(
                "[blog]\nrepos = [\"https://example.org/a\\nb\"]\n",
                "p.toml:2:10: 'https://example.org/a\\x0ab' can't be a repo's URL: it has white space or control characters "
                "[write it as https://HOST/PATH or USER@HOST:PATH]\n");
}

/* Checks a text that is not TOML. The message is toml++'s; only its place counts. */
static void assert_no_toml(const char *text, size_t length, unsigned line)
{
        _cleanup_(error_freep) struct error *error = NULL;
        struct projects projects = PROJECTS_INIT;

        assert_int_equal(projects_parse(text, length, "p.toml", &projects, &error), -1);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_string_equal(error->file, "p.toml");
        assert_int_equal(error->line, line);
        assert_null(error->next);
}

static void what_is_no_toml_is_told_with_its_place(void **state)
{
        assert_no_toml("[blog\n", 6, 1);
        assert_no_toml("[blog]\ncpus = 1\ncpus = 2\n", 25, 3);
        assert_no_toml("[blog]\n[blog]\n", 14, 2);
        assert_no_toml("[blog]\nshell = \"\xff\xfe\"\n", 20, 2);
        assert_no_toml("[blog]\n\0\0", 9, 2);
        assert_no_toml("[blog]\nshell = 'a\0b'\n", 21, 2);
        assert_no_toml("[blog]\nshell = \"a\\u0000b\"\n", 26, 2);
        assert_no_toml("[\nblog]\n", 8, 1);
        assert_no_toml("[blog]\ncpus = 1 \357\270\217\n", 20, 2);
}

static void the_users_file_is_read_and_a_missing_one_is_empty(void **state)
{
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-projects-XXXXXX");
        _cleanup_(projects_clear) struct projects none = PROJECTS_INIT, one = PROJECTS_INIT, two = PROJECTS_INIT;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(freep) char *file = NULL;

        assert_non_null(mkdtemp(folder));
        assert_int_equal(setenv("MACHINE_CONFIG_DIR", folder, 1), 0);
        file = path_join(folder, "projects.toml");

        assert_int_equal(projects_read(&none, NULL), 0);
        assert_int_equal(none.count, 0);
        assert_string_equal(none.file, file);

        assert_int_equal(file_write_text(file, "[blog]\n", 0600, NULL), 0);
        assert_int_equal(projects_read(&one, NULL), 0);
        assert_int_equal(one.count, 1);
        assert_string_equal(one.items[0].file, file);

        assert_int_equal(file_remove(file, NULL), 0);
        assert_int_equal(file_make_folders(file, 0700, NULL), 0);
        assert_int_equal(projects_read(&two, &error), -1);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_null(two.file);
        assert_int_equal(file_remove(folder, NULL), 0);
}

static void a_huge_file_is_refused(void **state)
{
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-projects-XXXXXX");
        _cleanup_(freep) char *text = xcalloc(1, (1 << 20) + 2);
        _cleanup_(error_freep) struct error *error = NULL;
        struct projects projects = PROJECTS_INIT;
        _cleanup_(freep) char *file = NULL;

        assert_non_null(mkdtemp(folder));
        assert_int_equal(setenv("MACHINE_CONFIG_DIR", folder, 1), 0);
        file = path_join(folder, "projects.toml");
        memset(text, '#', (1 << 20) + 1);
        assert_int_equal(file_write_text(file, text, 0600, NULL), 0);
        assert_int_equal(projects_read(&projects, &error), -1);
        assert_int_equal(error->kind, ERROR_CONFIG);
        assert_non_null(strstr(error->message, "larger than 1.0 MiB"));
        assert_int_equal(file_remove(folder, NULL), 0);
}

static void mistakes_can_be_each_projects_own(void **state)
{
        static const char text[] = "[blog]\ncpus = 2\n[shop]\ncpus = 'x'\nrepo = []\n[Bad]\n";
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(projects_clear) struct projects none = PROJECTS_INIT;
        _cleanup_(freep) char *folder = xstrdup("/tmp/machine-projects-XXXXXX");
        _cleanup_(freep) char *file = NULL;

        assert_non_null(mkdtemp(folder));
        assert_int_equal(setenv("MACHINE_CONFIG_DIR", folder, 1), 0);
        file = path_join(folder, "projects.toml");
        assert_int_equal(file_write_text(file, text, 0600, NULL), 0);
        assert_int_equal(projects_read(&none, NULL), -1);
        assert_int_equal(projects_read_apart(&projects, NULL), 0);
        assert_int_equal(projects.count, 3);
        assert_null(projects.items[0].mistakes);
        assert_int_equal(projects.items[0].cpus, 2);
        assert_int_equal(projects.items[1].mistakes->line, 4);
        assert_int_equal(projects.items[1].mistakes->next->line, 5);
        assert_null(projects.items[1].mistakes->next->next);
        assert_int_equal(projects.items[2].mistakes->line, 6);
        assert_int_equal(file_write_text(file, "shell = 'x'\n[blog]\n", 0600, NULL), 0);
        assert_int_equal(projects_read_apart(&none, NULL), -1);
        assert_int_equal(file_remove(folder, NULL), 0);
}

static void a_copy_shares_nothing_with_what_it_was_made_from(void **state)
{
        _cleanup_(project_clear) struct project copy = PROJECT_INIT;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        parse("[other]\nrepos = ['work:y']\n[blog]\nrepos = ['work:x']\nprofiles = ['node']\nports = [1]\n", &projects);
        project_copy(&copy, projects_find(&projects, "other"));
        project_copy(&copy, projects_find(&projects, "blog"));
        projects_clear(&projects);
        assert_string_equal(copy.name, "blog");
        assert_string_equal(copy.file, "p.toml");
        assert_int_equal(copy.repo_count, 1);
        assert_string_equal(copy.repos[0].url, "work:x");
        assert_string_equal(copy.repos[0].name, "x");
        assert_string_equal(copy.profiles.items[0], "node");
        assert_int_equal(copy.ports[0].host, 1);
        assert_string_equal(copy.shell, "zsh");
        assert_string_equal(copy.engine, "auto");
}

static void the_built_in_project_has_the_users_defaults(void **state)
{
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;

        assert_int_equal(project_default(&project, PROJECT_DEFAULT_NAME, NULL, NULL), 0);
        assert_string_equal(project.name, "default");
        assert_string_equal(project.shell, "zsh");
        assert_null(project.file);
        assert_int_equal(project.repo_count, 0);
        parse("default_shell = 'bash'\ndefault_profile = 'node'\n", &projects);
        assert_int_equal(project_default(&project, PROJECT_DEFAULT_NAME, &projects, NULL), 0);
        assert_string_equal(project.shell, "bash");
        assert_string_equal(project.profiles.items[0], "node");
        assert_int_equal(project_default(&project, "../x", &projects, NULL), -1);
        assert_string_equal(project.name, "default");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_empty_file_has_no_projects),
                cmocka_unit_test(an_empty_table_is_a_project_with_all_defaults),
                cmocka_unit_test(every_key_reaches_the_project),
                cmocka_unit_test(an_image_is_a_file_or_a_url_with_its_digest),
                cmocka_unit_test(secrets_are_named_and_not_written_down),
                cmocka_unit_test(defaults_of_the_file_hold_where_a_table_says_nothing),
                cmocka_unit_test(unknown_keys_are_mistakes_with_a_suggestion),
                cmocka_unit_test(a_projects_key_at_the_top_is_told_where_it_goes),
                cmocka_unit_test(wrong_types_are_said_in_words),
                cmocka_unit_test(ranges_are_part_of_the_message),
                cmocka_unit_test(choices_are_part_of_the_message),
                cmocka_unit_test(all_mistakes_of_a_file_are_told_in_the_order_of_their_places),
                cmocka_unit_test(names_are_checked),
                cmocka_unit_test(ports_are_checked),
                cmocka_unit_test(a_host_port_can_be_had_once),
                cmocka_unit_test(lists_have_limits),
                cmocka_unit_test(repos_that_would_share_a_folder_are_a_mistake),
                cmocka_unit_test(a_repo_without_a_folder_name_is_a_mistake),
                cmocka_unit_test(the_checkout_is_no_repo_of_projects_toml),
                cmocka_unit_test(a_url_that_git_would_take_for_an_option_is_refused_at_its_place),
                cmocka_unit_test(what_is_no_toml_is_told_with_its_place),
                cmocka_unit_test(the_users_file_is_read_and_a_missing_one_is_empty),
                cmocka_unit_test(a_huge_file_is_refused),
                cmocka_unit_test(mistakes_can_be_each_projects_own),
                cmocka_unit_test(a_copy_shares_nothing_with_what_it_was_made_from),
                cmocka_unit_test(the_built_in_project_has_the_users_defaults),
        };

        project_set_engines((const char *const[]){ "qemu", "lima", NULL });
        return cmocka_run_group_tests(tests, NULL, NULL);
}
