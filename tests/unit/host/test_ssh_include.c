/* Which lines of a user's ssh configuration count as an Include of our file, and which only look like one. */
#include "scratch.h"

#include "host/ssh_include.h"

#define FOLDER "/home/me/.ssh"
#define OURS   FOLDER "/config.d/machine"

static const struct {
        const char *text;
        bool present;
} table[] = {
        { "", false },
        { "\n\n# a comment\n", false },
        { "Include config.d/machine\n", true },
        { "Include config.d/machine", true },
        { "include config.d/machine\n", true },
        { "INCLUDE\tconfig.d/machine\n", true },
        { "  Include   config.d/machine  \n", true },
        { "Include=config.d/machine\n", true },
        { "Include = config.d/machine\n", true },
        { "Include \"config.d/machine\"\n", true },
        { "Include 'config.d/machine'\n", true },
        { "Include config.d/machine # ours\n", true },
        { "Include config.d/machine\r\n", true },
        { "# first\n\nUser me\nInclude config.d/machine\n", true },

        { "Include config.d/*\n", true },
        { "Include config.d/m*\n", true },
        { "Include */machine\n", true },
        { "Include ~/.ssh/config.d/*\n", true },
        { "Include ~/.ssh/config.d/machine\n", true },
        { "Include " OURS "\n", true },
        { "Include other config.d/machine\n", true },
        { "Include \"with space\" config.d/machine\n", true },
        { "Include other\nInclude config.d/machine\n", true },
        { "Include with\\ space config.d/machine\n", true },

        { "# Include config.d/machine\n", false },
        { "Include # config.d/machine\n", false },
        { "Include config.d/machine2\n", false },
        { "Include config.d/*.conf\n", false },
        { "Include *\n", false },
        { "Include config.d\n", false },
        { "Include machine\n", false },
        { "Include ~/config.d/machine\n", false },
        { "Include /etc/ssh/config.d/machine\n", false },
        { "Include \"config.d/machine\n", false },
        { "Include \"config.d/machine other\"\n", false },
        { "Included config.d/machine\n", false },
        { "Include\n", false },
        { "Host *\nInclude config.d/machine\n", false },
        { "host blog\n  Include config.d/machine\n", false },
        { "Match all\nInclude config.d/machine\n", false },
        { "Host=*\nInclude config.d/machine\n", false },
        { "User me\nHost *\n  User you\nInclude config.d/*\n", false },
};

static void includes_are_told_from_what_only_looks_like_one(void **state)
{
        setenv("HOME", "/home/me", 1);
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                print_message("row %zu\n", i);
                assert_int_equal(ssh_include_present(table[i].text, strlen(table[i].text), FOLDER, OURS), table[i].present);
        }
}

static void the_text_needs_no_nul_behind_it(void **state)
{
        const char text[] = "Include config.d/machine-and-more";

        assert_true(ssh_include_present(text, strlen("Include config.d/machine"), FOLDER, OURS));
        assert_false(ssh_include_present(text, strlen(text), FOLDER, OURS));
}

static void bytes_that_are_no_text_are_passed_over(void **state)
{
        const char text[] = "\xff\xfe\0Include\nUser \0 x\nInclude config.d/machine\n";

        assert_true(ssh_include_present(text, sizeof(text) - 1, FOLDER, OURS));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(includes_are_told_from_what_only_looks_like_one),
                cmocka_unit_test(the_text_needs_no_nul_behind_it),
                cmocka_unit_test(bytes_that_are_no_text_are_passed_over),
        };

        return cmocka_run_group_tests_name("host/ssh-include", tests, NULL, NULL);
}
