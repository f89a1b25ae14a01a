/* Which files a confined process can still reach. Each case runs in its own child. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
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

#include "lib/confine.h"
#include "lib/file.h"
#include "lib/os.h"
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

static int signal_parent(const struct place *place)
{
        return kill(getppid(), 0) < 0 ? errno : 0;
}

static int connect_abstract(const struct place *place)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0machine-test-of-scopes" };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
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

/* Runs `function` in a process that is confined as a supervisor or a worker. Returns its result. */
static int confined(const struct place *place, bool worker, int (*function)(const struct place *place))
{
        int status;
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || landlock_supervisor(place->socket, NULL) < 0)
                        _exit(99);
                if (worker && landlock_worker(NULL) < 0)
                        _exit(99);
                _exit(function(place));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        return WEXITSTATUS(status);
}

static void skip_without_landlock(void)
{
        if (os_landlock() == 0) {
                print_message("skipped: this kernel has no Landlock\n");
                skip();
        }
}

static void a_worker_reaches_no_file(void **state)
{
        const struct place *place = *state;

        skip_without_landlock();
        assert_int_equal(confined(place, true, read_names), EACCES);
        assert_int_equal(confined(place, true, read_secret), EACCES);
        assert_int_equal(confined(place, true, write_secret), EACCES);
        assert_int_equal(confined(place, true, remove_secret), EACCES);
        assert_int_equal(confined(place, true, bind_socket), EACCES);
}

static void a_supervisor_makes_and_removes_its_socket(void **state)
{
        const struct place *place = *state;

        skip_without_landlock();
        assert_int_equal(confined(place, false, bind_socket), 0);
        assert_int_equal(confined(place, false, read_names), 0);
        assert_int_equal(confined(place, false, read_secret), EACCES);
        assert_int_equal(confined(place, false, write_secret), EACCES);
}

static void nobody_outside_is_signalled_or_reached_by_an_abstract_socket(void **state)
{
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0machine-test-of-scopes" };
        _cleanup_(closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (os_landlock() < CONFINE_SCOPES) {
                print_message("skipped: this kernel's Landlock has no scopes\n");
                skip();
        }
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        assert_int_equal(confined(*state, false, signal_parent), EPERM);
        assert_int_equal(confined(*state, true, signal_parent), EPERM);
        assert_int_equal(confined(*state, false, connect_abstract), EPERM);
        assert_int_equal(confined(*state, true, connect_abstract), EPERM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(a_worker_reaches_no_file, make_place, free_place),
                cmocka_unit_test_setup_teardown(nobody_outside_is_signalled_or_reached_by_an_abstract_socket, make_place,
                                                free_place),
                cmocka_unit_test_setup_teardown(a_supervisor_makes_and_removes_its_socket, make_place, free_place),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
