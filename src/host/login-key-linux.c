#include "host/login-key.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sodium.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TYPE "user"

/* Whoever started us may have a session keyring that doesn't lead to the user's: a key of the user's keyring could be seen
 * then, but not read. So the user's keyring is made one of this process's. */
static int reach_keyring(struct error **err)
{
        if (syscall(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING) == 0)
                return 0;
        error_errno(err, ERROR_FAILED, "the kernel keeps no keys for this user");
        return error_hint(err, "outside of containers every Linux kernel does: see keyrings(7)");
}

/* Returns the key's serial number, 0 when there is none, -1 on failure. */
static long find(const char *name, struct error **err)
{
        long serial;

        if (reach_keyring(err) < 0)
                return -1;
        serial = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, TYPE, name, 0);
        if (serial >= 0)
                return serial;
        if (errno == ENOKEY || errno == EKEYREVOKED || errno == EKEYEXPIRED)
                return 0;
        return error_errno(err, ERROR_FAILED, "cannot look for a key in the user's keyring");
}

int login_key_put(const char *name, const uint8_t key[LOGIN_KEY_BYTES], struct error **err)
{
        if (reach_keyring(err) < 0)
                return -1;
        if (syscall(SYS_add_key, TYPE, name, key, (size_t)LOGIN_KEY_BYTES, KEY_SPEC_USER_KEYRING) < 0)
                return error_errno(err, ERROR_FAILED, "cannot put a key into the user's keyring");
        return 0;
}

int login_key_make(const char *name, uint8_t key[LOGIN_KEY_BYTES], struct error **err)
{
        randombytes_buf(key, LOGIN_KEY_BYTES);
        if (login_key_put(name, key, err) == 0)
                return 0;
        sodium_memzero(key, LOGIN_KEY_BYTES);
        return -1;
}

int login_key_find(const char *name, uint8_t key[LOGIN_KEY_BYTES], struct error **err)
{
        long serial = find(name, err);
        uint8_t read[LOGIN_KEY_BYTES];
        long length;

        if (serial <= 0)
                return (int)serial;
        length = syscall(SYS_keyctl, KEYCTL_READ, serial, read, sizeof(read));
        if (length < 0)
                return error_errno(err, ERROR_FAILED, "cannot read a key in the user's keyring");
        if (length != LOGIN_KEY_BYTES)
                return 0;
        if (key)
                memcpy(key, read, sizeof(read));
        sodium_memzero(read, sizeof(read));
        return 1;
}

int login_key_forget(const char *name, struct error **err)
{
        long serial = find(name, err);

        if (serial <= 0)
                return (int)serial;
        if (syscall(SYS_keyctl, KEYCTL_UNLINK, serial, KEY_SPEC_USER_KEYRING) < 0)
                return error_errno(err, ERROR_FAILED, "cannot remove a key from the user's keyring");
        return 0;
}
