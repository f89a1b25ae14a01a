/* Which files a confined process still reaches. Each case in a child of its own. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/file.h"
#include "net/landlock.h"

struct place {
        char folder[32];
        char *file, *socket;
};

static int make_place(void **state)
{
        struct place *place = xcalloc(1, sizeof(*place));

        *state = place;
        memcpy(place->folder, "/tmp/machine-land-XXXXXX", sizeof("/tmp/machine-land-XXXXXX"));
        if (!mkdtemp(place->folder))
                return -1;
        place->file = path_join(place->folder, "secret");
        place->socket = path_join(place->folder, "ssh");
        return file_write_text(place->file, "secret\n", 0600, NULL);
}

static int free_place(void **state)
{
        struct place *place = *state;

        file_remove(place->folder, NULL);
        free(place->file);
        free(place->socket);
        free(place);
        return 0;
}

static int try_open(const char *path, int flags)
{
        int fd = open(path, flags | O_CLOEXEC);

        return fd < 0 ? errno : close(fd);
}

static int read_secret(const struct place *place)
{
        return try_open(place->file, O_RDONLY);
}

static int write_secret(const struct place *place)
{
        return try_open(place->file, O_WRONLY);
}

static int remove_secret(const struct place *place)
{
        return unlink(place->file) < 0 ? errno : 0;
}

static int read_names(const struct place *place)
{
        return try_open("/etc/passwd", O_RDONLY);
}

static int bind_socket(const struct place *place)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        memcpy(address.sun_path, place->socket, strlen(place->socket));
        if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return errno;
        return unlink(place->socket) < 0 ? errno : 0;
}

/* What `function` returns in a process that is confined with `socket_path`. */
static int confined(const struct place *place, const char *socket_path, int (*function)(const struct place *place))
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_restrict(socket_path, NULL) < 0)
                        _exit(99);
                _exit(function(place));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void skip_without_landlock(void)
{
        /* LANDLOCK_CREATE_RULESET_VERSION */
        if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 0) {
                print_message("skipped: this kernel has no Landlock\n");
                skip();
        }
}

static void a_worker_reads_where_resolvers_are_and_nothing_else(void **state)
{
        const struct place *place = *state;

        skip_without_landlock();
        assert_int_equal(confined(place, NULL, read_names), 0);
        assert_int_equal(confined(place, NULL, read_secret), EACCES);
        assert_int_equal(confined(place, NULL, write_secret), EACCES);
        assert_int_equal(confined(place, NULL, remove_secret), EACCES);
        assert_int_equal(confined(place, NULL, bind_socket), EACCES);
}

static void a_supervisor_makes_and_removes_its_socket(void **state)
{
        const struct place *place = *state;

        skip_without_landlock();
        assert_int_equal(confined(place, place->socket, bind_socket), 0);
        assert_int_equal(confined(place, place->socket, read_secret), EACCES);
        assert_int_equal(confined(place, place->socket, write_secret), EACCES);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_worker_reads_where_resolvers_are_and_nothing_else, make_place, free_place),
                cmocka_unit_test_setup_teardown(a_supervisor_makes_and_removes_its_socket, make_place, free_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
