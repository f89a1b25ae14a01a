/* Which agent's keys are lent. */
#include "scratch.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "host/agent.h"

#define CHOSEN       "/run/user/1000/gcr/ssh"
#define LAUNCHD      "/private/tmp/com.apple.launchd.Xy12/Listeners"
#define ONE_PASSWORD "/home/me/.1password/agent.sock"

static int setup(void **state)
{
        if (scratch_setup(state) < 0)
                return -1;
        unsetenv("SSH_AUTH_SOCK");
        return setenv("HOME", *state, 1);
}

static void what_somebody_chose_comes_first(void **state)
{
        assert_string_equal(agent_choose(CHOSEN, ONE_PASSWORD), CHOSEN);
        assert_string_equal(agent_choose(CHOSEN, NULL), CHOSEN);
}

static void one_password_comes_before_what_launchd_sets_for_everybody(void **state)
{
        assert_string_equal(agent_choose(LAUNCHD, ONE_PASSWORD), ONE_PASSWORD);
        assert_string_equal(agent_choose(NULL, ONE_PASSWORD), ONE_PASSWORD);
        assert_string_equal(agent_choose("", ONE_PASSWORD), ONE_PASSWORD);
}

static void launchds_agent_is_better_than_none(void **state)
{
        assert_string_equal(agent_choose(LAUNCHD, NULL), LAUNCHD);
        assert_null(agent_choose(NULL, NULL));
        assert_null(agent_choose("", NULL));
}

/* Listens where 1Password does on this system, in the test's own home folder. */
static int listen_there(void **state, char **path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(freep) char *folder = path_join(*state, ".1password");
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *path = path_join(folder, "agent.sock");
        assert_int_equal(file_make_folders(folder, 0700, NULL), 0);
        assert_true(strlen(*path) < sizeof(address.sun_path));
        memcpy(address.sun_path, *path, strlen(*path));
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void one_passwords_socket_counts_while_it_listens(void **state)
{
        _cleanup_(freep) char *path = NULL;
        _cleanup_(freep) char *listening = NULL;
        _cleanup_(freep) char *chosen = NULL;
        _cleanup_(freep) char *left_over = NULL;
        int fd = listen_there(state, &path);

        listening = agent_socket();
        setenv("SSH_AUTH_SOCK", CHOSEN, 1);
        chosen = agent_socket();
        unsetenv("SSH_AUTH_SOCK");
        close(fd);
        left_over = agent_socket();

        assert_string_equal(listening, path);
        assert_string_equal(chosen, CHOSEN);
        assert_true(file_exists(path));
        assert_null(left_over);
}

static void a_home_too_deep_for_a_socket_has_none(void **state)
{
        _cleanup_(freep) char *home = xasprintf("%s/%0120d", (const char *)*state, 0);

        setenv("HOME", home, 1);
        assert_null(agent_socket());
}

static void a_withheld_agent_is_none(void **state)
{
        _cleanup_(freep) char *before = NULL;

        setenv("SSH_AUTH_SOCK", CHOSEN, 1);
        before = agent_socket();
        assert_string_equal(before, CHOSEN);
        agent_withhold();
        assert_null(agent_socket());
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_somebody_chose_comes_first),
                cmocka_unit_test(one_password_comes_before_what_launchd_sets_for_everybody),
                cmocka_unit_test(launchds_agent_is_better_than_none),
                cmocka_unit_test_setup_teardown(one_passwords_socket_counts_while_it_listens, setup, scratch_teardown),
                cmocka_unit_test_setup_teardown(a_home_too_deep_for_a_socket_has_none, setup, scratch_teardown),
                /* The last one: it stays withheld in this process. */
                cmocka_unit_test(a_withheld_agent_is_none),
        };

        return cmocka_run_group_tests_name("host/agent", tests, NULL, NULL);
}
