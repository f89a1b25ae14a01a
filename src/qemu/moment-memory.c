#include "qemu/moment-memory.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/sealed.h"
#include "qemu/pages.h"

/* Where the machine types that we start have their memory. Source: QEMU, hw/arm/virt.c (VIRT_MEM), hw/i386/pc.c. */
#ifdef __aarch64__
#define MEMORY_AT "0x40000000"
#else
#define MEMORY_AT "0x0"
#endif

/* In front of each run of pages; one without bytes is the last. */
struct run {
        uint64_t from, bytes;
};

/* Asks QEMU where the guest's memory is in its own. The answer is for people: "Host virtual address for 0x0 (ram) is 0x7f…". */
static int find_address(const struct moment_source *source, uint64_t *address, struct error **err)
{
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s}", "command-line", "gpa2hva " MEMORY_AT);
        _cleanup_(json_decrefp) json_t *reply = NULL;
        const char *text;
        const char *found;
        char *end;

        if (qmp_call(source->qmp, "human-monitor-command", arguments, source->limit, &reply, err) < 0)
                return -1;
        text = json_string_value(reply);
        found = text ? strstr(text, "(ram) is ") : NULL;
        if (!found)
                return error_set(err, ERROR_ENGINE, "QEMU does not say where the guest's memory is: %s",
                                 text ? text : "nothing");
        errno = 0;
        *address = strtoull(found + strlen("(ram) is "), &end, 16);
        return errno == 0 && *address > 0 ? 0 : error_set(err, ERROR_ENGINE, "QEMU says a wrong address: %s", text);
}

static int open_memory(const struct moment_source *source, bool change, struct pages *out, struct error **err)
{
        uint64_t address = 0;

        if (source->qemu == 0)
                return error_set(err, ERROR_ENGINE, "cannot find the QEMU process");
        return find_address(source, &address, err) < 0
                       ? -1
                       : pages_open(source->qemu, address, source->memory_bytes, source->from_file, change, out, err);
}

/* --- saving */

struct saving {
        struct sealed sealed;
        uint8_t *piece;
};

static bool is_zero(const uint8_t *data, size_t length)
{
        return length == 0 || (data[0] == 0 && memcmp(data, data + 1, length - 1) == 0);
}

static int put_run(struct sealed *sealed, uint64_t from, uint64_t bytes, struct error **err)
{
        return sealed_write(sealed, &(struct run){ .from = from, .bytes = bytes }, sizeof(struct run), err);
}

static int save_run(const struct pages *pages, uint64_t from, size_t bytes, void *data, struct error **err)
{
        struct saving *saving = data;

        if (pages_read(pages, from, saving->piece, bytes, err) < 0)
                return -1;
        /* Memory that is nobody's file begins as zeros. */
        if (!pages->from_file && is_zero(saving->piece, bytes))
                return 0;
        return put_run(&saving->sealed, from, bytes, err) < 0 ? -1 : sealed_write(&saving->sealed, saving->piece, bytes, err);
}

int moment_memory_save(const struct moment_source *source, int fd, const uint8_t *key, struct error **err)
{
        struct saving saving = { .sealed = SEALED_INIT, .piece = xmalloc(PAGES_PIECE) };
        struct pages pages = PAGES_INIT;
        int status = -1;

        if (open_memory(source, false, &pages, err) == 0 && sealed_begin(&saving.sealed, fd, key, err) == 0 &&
            pages_each(&pages, save_run, &saving, err) == 0 && put_run(&saving.sealed, 0, 0, err) == 0)
                status = sealed_end(&saving.sealed, err);
        sodium_memzero(saving.piece, PAGES_PIECE);
        free(saving.piece);
        sealed_clear(&saving.sealed);
        pages_close(&pages);
        return status < 0 ? error_wrap(err, "cannot save the guest's memory") : 0;
}

/* --- loading */

struct resetting {
        int file; /* -1 = none: zeros */
        uint8_t *piece;
};

/* Undoes what the new QEMU itself has written, before what was saved comes in. */
static int reset_run(const struct pages *pages, uint64_t from, size_t bytes, void *data, struct error **err)
{
        const struct resetting *resetting = data;

        if (resetting->file < 0)
                memset(resetting->piece, 0, bytes);
        else if (pread(resetting->file, resetting->piece, bytes, (off_t)from) != (ssize_t)bytes)
                return error_errno(err, ERROR_ENGINE, "cannot read the template's memory");
        return pages_write(pages, from, resetting->piece, bytes, err);
}

static int load_run(const struct pages *pages, struct sealed *sealed, const struct run *run, uint8_t *piece, struct error **err)
{
        if (run->bytes > PAGES_PIECE || run->from > pages->bytes || run->bytes > pages->bytes - run->from)
                return error_set(err, ERROR_ENGINE, "what was saved has pages outside of the guest's memory");
        return sealed_read(sealed, piece, run->bytes, err) < 0 ? -1 : pages_write(pages, run->from, piece, run->bytes, err);
}

static int load_runs(const struct pages *pages, struct sealed *sealed, uint8_t *piece, struct error **err)
{
        struct run run;

        for (;;) {
                if (sealed_read(sealed, &run, sizeof(run), err) < 0)
                        return -1;
                if (run.bytes == 0)
                        return sealed_finish(sealed, err);
                if (load_run(pages, sealed, &run, piece, err) < 0)
                        return -1;
        }
}

int moment_memory_load(const struct moment_source *source, const char *file, int fd, const uint8_t *key, struct error **err)
{
        _cleanup_(closep) int from = file ? open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
        struct resetting resetting = { .file = from, .piece = xmalloc(PAGES_PIECE) };
        struct sealed sealed = SEALED_INIT;
        struct pages pages = PAGES_INIT;
        int status = -1;

        if (file && from < 0)
                error_errno(err, ERROR_ENGINE, "cannot open '%s'", file);
        else if (open_memory(source, true, &pages, err) == 0 && pages_each(&pages, reset_run, &resetting, err) == 0 &&
                 sealed_open(&sealed, fd, key, err) == 0)
                status = load_runs(&pages, &sealed, resetting.piece, err);
        sodium_memzero(resetting.piece, PAGES_PIECE);
        free(resetting.piece);
        sealed_clear(&sealed);
        pages_close(&pages);
        return status < 0 ? error_wrap(err, "cannot load the guest's memory") : 0;
}
