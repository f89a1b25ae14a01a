/*
 * Captures what is written to a descriptor of this process (stdout, stderr) in a file.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "lib/strbuf.h"

struct capture {
        int number; /* the descriptor */
        int before; /* what it was before */
        FILE *file;
};

static inline struct capture capture_start(int number)
{
        struct capture capture = { .number = number, .before = dup(number), .file = tmpfile() };

        fflush(NULL);
        assert_non_null(capture.file);
        assert_true(dup2(fileno(capture.file), number) == number);
        return capture;
}

/* What was written, owned by the caller. */
static inline char *capture_end(struct capture *capture)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        char block[4096];
        size_t got;

        fflush(NULL);
        dup2(capture->before, capture->number);
        close(capture->before);
        rewind(capture->file);
        while ((got = fread(block, 1, sizeof(block), capture->file)) > 0)
                strbuf_add(&text, block, got);
        fclose(capture->file);
        return strbuf_take(&text);
}
