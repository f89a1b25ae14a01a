/* Keys in the kernel's keyring of this user. */
#include "scratch.h"

#include <sys/wait.h>
#include <unistd.h>

#include "host/login-key.h"

static char *own_name(const char *what)
{
        return xasprintf("machine-test:%d:%s", (int)getpid(), what);
}

/* A kernel that keeps no keys says so by each function. */
static void require_keyring(void)
{
        _cleanup_(freep) char *name = own_name("none");

        if (login_key_find(name, NULL, NULL) < 0)
                skip();
}

static void a_key_is_found_until_it_is_forgotten(void **state)
{
        _cleanup_(freep) char *name = own_name("found");
        uint8_t made[LOGIN_KEY_BYTES], found[LOGIN_KEY_BYTES] = { 0 };

        require_keyring();
        assert_int_equal(login_key_make(name, made, NULL), 0);
        assert_int_equal(login_key_find(name, found, NULL), 1);
        assert_memory_equal(made, found, sizeof(made));
        assert_int_equal(login_key_find(name, NULL, NULL), 1);
        assert_int_equal(login_key_forget(name, NULL), 0);
        assert_int_equal(login_key_find(name, found, NULL), 0);
        assert_int_equal(login_key_forget(name, NULL), 0);
}

static void two_keys_are_different(void **state)
{
        _cleanup_(freep) char *one = own_name("one");
        _cleanup_(freep) char *two = own_name("two");
        uint8_t first[LOGIN_KEY_BYTES], second[LOGIN_KEY_BYTES], again[LOGIN_KEY_BYTES];

        require_keyring();
        assert_int_equal(login_key_make(one, first, NULL), 0);
        assert_int_equal(login_key_make(two, second, NULL), 0);
        assert_memory_not_equal(first, second, sizeof(first));
        assert_int_equal(login_key_make(one, again, NULL), 0);
        assert_memory_not_equal(first, again, sizeof(first));
        assert_int_equal(login_key_find(one, first, NULL), 1);
        assert_memory_equal(first, again, sizeof(first));
        assert_int_equal(login_key_forget(one, NULL), 0);
        assert_int_equal(login_key_forget(two, NULL), 0);
}

/* The process that wakes a VM is another one than that which parked it. */
static void another_process_finds_it(void **state)
{
        _cleanup_(freep) char *name = own_name("shared");
        uint8_t made[LOGIN_KEY_BYTES];
        int status = -1;
        pid_t child;

        require_keyring();
        child = fork();
        if (child == 0)
                _exit(login_key_make(name, made, NULL) == 0 ? 0 : 1);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        assert_int_equal(login_key_find(name, made, NULL), 1);
        assert_int_equal(login_key_forget(name, NULL), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_key_is_found_until_it_is_forgotten),
                cmocka_unit_test(two_keys_are_different),
                cmocka_unit_test(another_process_finds_it),
        };

        return cmocka_run_group_tests_name("host/login-key", tests, NULL, NULL);
}
