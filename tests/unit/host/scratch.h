/*
 * A temporary folder for each test, and the few things that tests do in it. Every failure in here fails the test.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "lib/file.h"

/* Group fixtures: *state is the folder's path. */
static inline int scratch_setup(void **state)
{
        char *folder = xstrdup("/tmp/machine-test-XXXXXX");

        *state = mkdtemp(folder);
        return *state ? 0 : -1;
}

static inline int scratch_teardown(void **state)
{
        int status = file_remove(*state, NULL);

        free(*state);
        return status;
}

static inline void scratch_write(const char *path, const char *text)
{
        assert_int_equal(file_write_text(path, text, 0600, NULL), 0);
}

/* The content of a file, owned by the caller. */
static inline char *scratch_read(const char *path)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        assert_int_equal(file_read(path, 1 << 24, &text, NULL), 0);
        return strbuf_take(&text);
}

static inline mode_t scratch_mode(const char *path)
{
        struct stat status;

        assert_int_equal(lstat(path, &status), 0);
        return status.st_mode & 07777;
}
