#include "qemu/moment-stream.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/json.h"
#include "lib/os.h"
#include "lib/sealed.h"
#include "qemu/migration.h"

#define DEVICES_SET  7
#define DEVICES_MOST ((size_t)256 << 20)
#define BLOCK        65536

/* In front of what follows. */
struct length {
        uint64_t bytes;
};

/* A file in memory, which is never on a disk. */
static int make_memory_file(struct error **err)
{
        int fd = memfd_create("devices", MFD_CLOEXEC);

        return fd < 0 ? error_errno(err, ERROR_FAILED, "cannot make a file in memory") : fd;
}

/* Another descriptor of the same file, with a place of its own. QEMU takes only one that is opened for just what it does. */
static int reopen(int fd, int flags, struct error **err)
{
        _cleanup_(freep) char *path = xasprintf("/proc/self/fd/%d", fd);
        int again = open(path, flags | O_CLOEXEC);

        return again < 0 ? error_errno(err, ERROR_FAILED, "cannot open a file in memory") : again;
}

/* --- devices */

static int ask_for_devices(const struct moment_source *source, int fd, struct error **err)
{
        _cleanup_(json_decrefp) json_t *set = json_pack("{s:i}", "fdset-id", DEVICES_SET);
        _cleanup_(freep) char *name = xasprintf("/dev/fdset/%d", DEVICES_SET);
        _cleanup_(json_decrefp) json_t *arguments = json_pack("{s:s}", "filename", name);
        _cleanup_(closep) int output = reopen(fd, O_WRONLY, err);
        int saved;

        if (output < 0 || qmp_give(source->qmp, "add-fd", set, output, source->limit, err) < 0)
                return -1;
        /* The name is of the first hypervisor that needed it: it saves what isn't memory, of any guest. */
        saved = qmp_call(source->qmp, "xen-save-devices-state", arguments, source->limit, NULL, err);
        if (qmp_call(source->qmp, "remove-fd", set, source->limit, NULL, saved < 0 ? NULL : err) < 0)
                return -1;
        return saved;
}

static int seal_file(int from, int to, const uint8_t *key, struct error **err)
{
        struct sealed sealed = SEALED_INIT;
        struct stat status;
        void *content;
        int done = -1;

        if (fstat(from, &status) < 0 || status.st_size <= 0 || (uint64_t)status.st_size > DEVICES_MOST)
                return error_set(err, ERROR_ENGINE, "QEMU saved no devices");
        content = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, from, 0);
        if (content == MAP_FAILED)
                return error_errno(err, ERROR_FAILED, "cannot map a file in memory");
        if (sealed_begin(&sealed, to, key, err) == 0 &&
            sealed_write(&sealed, &(struct length){ .bytes = (uint64_t)status.st_size }, sizeof(struct length), err) == 0 &&
            sealed_write(&sealed, content, (size_t)status.st_size, err) == 0)
                done = sealed_end(&sealed, err);
        munmap(content, (size_t)status.st_size);
        sealed_clear(&sealed);
        return done;
}

int moment_stream_save_devices(const struct moment_source *source, int fd, const uint8_t *key, struct error **err)
{
        _cleanup_(closep) int file = make_memory_file(err);

        if (file < 0 || ask_for_devices(source, file, err) < 0 || seal_file(file, fd, key, err) < 0)
                return error_wrap(err, "cannot save the guest's devices");
        return 0;
}

static int hand_over(int fd, const uint8_t *data, size_t length, struct error **err)
{
        return write_all(fd, data, length) < 0 ? error_errno(err, ERROR_FAILED, "cannot hand over what was saved") : 0;
}

static int unseal_file(int from, int to, const uint8_t *key, struct error **err)
{
        struct sealed sealed = SEALED_INIT;
        struct length left = { 0 };
        uint8_t block[BLOCK];
        int status = -1;

        if (sealed_open(&sealed, from, key, err) == 0)
                status = sealed_read(&sealed, &left, sizeof(left), err);
        while (status == 0 && left.bytes > 0) {
                size_t part = left.bytes < sizeof(block) ? (size_t)left.bytes : sizeof(block);

                status = sealed_read(&sealed, block, part, err) < 0 ? -1 : hand_over(to, block, part, err);
                left.bytes -= part;
        }
        if (status == 0)
                status = sealed_finish(&sealed, err);
        sodium_memzero(block, sizeof(block));
        sealed_clear(&sealed);
        return status;
}

int moment_stream_load_devices(const struct moment_source *source, int fd, const uint8_t *key, struct error **err)
{
        _cleanup_(closep) int file = make_memory_file(err);
        _cleanup_(closep) int input = -1;

        if (file < 0 || unseal_file(fd, file, key, err) < 0)
                return error_wrap(err, "cannot read what was saved of the guest's devices");
        input = reopen(file, O_RDONLY, err);
        return input < 0 ? -1 : migration_load(source->qmp, source->toolkit, input, source->limit, err);
}

/* --- the whole stream, through a pipe: a thread of ours is at its other end, while we wait for QEMU to be done */

struct pump {
        int from, to; /* one of them is the pipe's end, and the thread's own */
        const uint8_t *key;
        struct error *error;
        pthread_t thread;
};

/* QEMU's stream says itself where it ends. Here a length stands in front of each block, and 0 comes after the last. */
static void *seal_stream(void *data)
{
        struct pump *pump = data;
        struct sealed sealed = SEALED_INIT;
        uint8_t block[BLOCK];
        ssize_t got = -1;

        if (sealed_begin(&sealed, pump->to, pump->key, &pump->error) == 0)
                do {
                        got = read(pump->from, block, sizeof(block));
                        if (got < 0 && errno != EINTR)
                                error_errno(&pump->error, ERROR_FAILED, "cannot read what QEMU saves");
                        if (got > 0 && sealed_write(&sealed, &(struct length){ .bytes = (uint64_t)got }, sizeof(struct length),
                                                    &pump->error) == 0)
                                sealed_write(&sealed, block, (size_t)got, &pump->error);
                } while (!pump->error && got != 0);
        if (!pump->error && sealed_write(&sealed, &(struct length){ 0 }, sizeof(struct length), &pump->error) == 0)
                sealed_end(&sealed, &pump->error);
        sodium_memzero(block, sizeof(block));
        sealed_clear(&sealed);
        closep(&pump->from);
        pump->from = -1;
        return NULL;
}

static int unseal_block(struct sealed *sealed, int to, uint8_t *block, bool *last, struct error **err)
{
        struct length length;

        if (sealed_read(sealed, &length, sizeof(length), err) < 0)
                return -1;
        *last = length.bytes == 0;
        if (*last)
                return sealed_finish(sealed, err);
        if (length.bytes > BLOCK)
                return error_set(err, ERROR_FAILED, "what was saved makes no sense");
        return sealed_read(sealed, block, length.bytes, err) < 0 ? -1 : hand_over(to, block, length.bytes, err);
}

static void *unseal_stream(void *data)
{
        struct pump *pump = data;
        struct sealed sealed = SEALED_INIT;
        uint8_t block[BLOCK];
        bool last = false;

        if (sealed_open(&sealed, pump->from, pump->key, &pump->error) == 0)
                while (!last && unseal_block(&sealed, pump->to, block, &last, &pump->error) == 0)
                        ;
        sodium_memzero(block, sizeof(block));
        sealed_clear(&sealed);
        closep(&pump->to);
        pump->to = -1;
        return NULL;
}

/* The thread's error is the cause of QEMU's. */
static int join(struct pump *pump, int status, struct error **err)
{
        pthread_join(pump->thread, NULL);
        if (!pump->error)
                return status;
        if (err)
                error_free(TAKE_PTR(*err));
        return error_give(err, pump->error);
}

static int start(struct pump *pump, void *(*function)(void *data), struct error **err)
{
        errno = pthread_create(&pump->thread, NULL, function, pump);
        return errno == 0 ? 0 : error_errno(err, ERROR_FAILED, "cannot start a thread");
}

int moment_stream_save_whole(const struct moment_source *source, int fd, const uint8_t *key, struct error **err)
{
        struct pump pump = { .to = fd, .key = key };
        int ends[2];
        int status;

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        pump.from = ends[0];
        if (start(&pump, seal_stream, err) < 0) {
                closep(&ends[0]);
                closep(&ends[1]);
                return -1;
        }
        status = migration_save_stream(source->qmp, ends[1], source->limit, err);
        /* The thread ends when QEMU's end is closed, too. */
        closep(&ends[1]);
        return join(&pump, status, err);
}

int moment_stream_load_whole(const struct moment_source *source, int fd, const uint8_t *key, struct error **err)
{
        struct pump pump = { .from = fd, .key = key };
        int ends[2];
        int status;

        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        pump.to = ends[1];
        if (start(&pump, unseal_stream, err) < 0) {
                closep(&ends[0]);
                closep(&ends[1]);
                return -1;
        }
        status = migration_load_stream(source->qmp, ends[0], source->limit, err);
        closep(&ends[0]);
        return join(&pump, status, err);
}
