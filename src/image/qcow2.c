#include "image/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/text.h"

/* Offsets in the header. */
enum {
        AT_VERSION = 4,
        AT_BACKING_OFFSET = 8,
        AT_BACKING_LENGTH = 16,
        AT_CLUSTER_BITS = 20,
        AT_SIZE = 24,
        AT_ENCRYPTION = 32,
        AT_L1_ENTRIES = 36,
        AT_L1_OFFSET = 40,
        AT_REFCOUNT_OFFSET = 48,
        AT_REFCOUNT_CLUSTERS = 56,
        AT_SNAPSHOTS = 60,
        LENGTH_2 = 72,
        AT_INCOMPATIBLE = 72,
        AT_AUTOCLEAR = 88,
        AT_REFCOUNT_ORDER = 96,
        AT_LENGTH = 100,
        LENGTH_3 = 104,
};

enum { FEATURE_DIRTY = 1, FEATURE_CORRUPT = 2, FEATURE_DATA_FILE = 4 };

#define EXTENSION_END            UINT32_C(0)
#define EXTENSION_BACKING_FORMAT UINT32_C(0xe2792aca)
#define EXTENSION_DATA_FILE      UINT32_C(0x44415441)
#define EXTENSION_ENCRYPTION     UINT32_C(0x0537be77)
#define EXTENSION_BITMAPS        UINT32_C(0x23852875)

#define CLUSTER_BITS_LEAST 9
#define CLUSTER_BITS_MOST  21
#define BACKING_MOST       1023
#define REFCOUNT_ORDER     6
#define L1_BYTES_MOST      (INT64_C(32) << 20)
#define REFCOUNT_MOST      (INT64_C(8) << 20)
#define SECTOR             512

/* What is being read: the first `length` bytes of a file of `file_bytes`. */
struct head {
        const unsigned char *data;
        size_t length;
        int64_t file_bytes;
        uint32_t version;
        uint32_t cluster_bits;
};

void qcow2_header_clear(struct qcow2_header *header)
{
        free(header->backing);
        free(header->backing_format);
        *header = (struct qcow2_header)QCOW2_HEADER_INIT;
}

/* Reads a number, most significant byte first. */
static uint64_t number(const struct head *head, size_t at, size_t bytes)
{
        uint64_t value = 0;

        for (size_t i = 0; i < bytes; i++)
                value = value << 8 | head->data[at + i];
        return value;
}

static int wrong(struct error **err, const char *what)
{
        return error_set(err, ERROR_ENGINE, "%s", what);
}

/* `length` bytes as text. NULL when there is a NUL among them: then what is shown would not be all that is compared. */
static char *text_at(const struct head *head, uint64_t at, uint64_t length)
{
        return memchr(head->data + at, 0, length) ? NULL : xstrndup((const char *)head->data + at, length);
}

/* Can a table of `bytes` be at `offset`? It must begin with a cluster and lie wholly in the file. */
static bool is_table(const struct head *head, uint64_t offset, uint64_t bytes)
{
        uint64_t file = (uint64_t)head->file_bytes;

        return offset >= (UINT64_C(1) << head->cluster_bits) && offset % (UINT64_C(1) << head->cluster_bits) == 0 &&
               offset <= file && bytes <= file - offset;
}

static int check_basics(struct head *head, struct error **err)
{
        if (head->length < LENGTH_2 || memcmp(head->data, "QFI\xfb", 4) != 0)
                return wrong(err, "it is not a qcow2 disk");
        head->version = (uint32_t)number(head, AT_VERSION, 4);
        head->cluster_bits = (uint32_t)number(head, AT_CLUSTER_BITS, 4);
        if (head->version != 2 && head->version != 3)
                return wrong(err, "its version is neither 2 nor 3");
        if (head->version == 3 && head->length < LENGTH_3)
                return wrong(err, "its header is cut off");
        if (head->cluster_bits < CLUSTER_BITS_LEAST || head->cluster_bits > CLUSTER_BITS_MOST)
                return wrong(err, "its clusters have an invalid size");
        if (number(head, AT_ENCRYPTION, 4) != 0)
                return wrong(err, "it is encrypted");
        if (number(head, AT_SNAPSHOTS, 4) != 0)
                return wrong(err, "it has snapshots inside");
        return 0;
}

static int check_features(const struct head *head, struct error **err)
{
        uint64_t features;

        if (head->version == 2)
                return 0;
        features = number(head, AT_INCOMPATIBLE, 8);
        if (features & FEATURE_DATA_FILE)
                return wrong(err, "its data is in another file");
        if (features & ~(uint64_t)(FEATURE_DIRTY | FEATURE_CORRUPT) || number(head, AT_AUTOCLEAR, 8) != 0)
                return wrong(err, "it has features that it was not made with");
        if (number(head, AT_REFCOUNT_ORDER, 4) > REFCOUNT_ORDER)
                return wrong(err, "its reference counts have an invalid size");
        return 0;
}

/* No disk of ours has a first-level table of 32 MiB. */
static int check_tables(const struct head *head, struct qcow2_header *out, struct error **err)
{
        uint64_t size = number(head, AT_SIZE, 8);
        uint64_t entries = number(head, AT_L1_ENTRIES, 4);
        uint64_t counts = number(head, AT_REFCOUNT_CLUSTERS, 4) << head->cluster_bits;
        /* Each entry stands for a cluster full of entries of eight bytes. */
        uint64_t cluster = UINT64_C(1) << head->cluster_bits;
        uint64_t each = cluster / 8 * cluster;

        if (cluster < SECTOR || size > INT64_MAX || size % SECTOR != 0 || entries * 8 > L1_BYTES_MOST ||
            (size + each - 1) / each > entries)
                return wrong(err, "its size is more than its tables hold");
        if (!is_table(head, number(head, AT_L1_OFFSET, 8), entries * 8) || counts == 0 || counts > REFCOUNT_MOST ||
            !is_table(head, number(head, AT_REFCOUNT_OFFSET, 8), counts))
                return wrong(err, "its tables are not inside the file");
        out->bytes = (int64_t)size;
        return 0;
}

static int take_extension(const struct head *head, uint32_t type, uint64_t at, uint64_t length, struct qcow2_header *out,
                          struct error **err)
{
        switch (type) {
        case EXTENSION_DATA_FILE:
                return wrong(err, "its data is in another file");
        case EXTENSION_ENCRYPTION:
        case EXTENSION_BITMAPS:
                return wrong(err, "it has features that it was not made with");
        case EXTENSION_BACKING_FORMAT:
                set_string(&out->backing_format, text_at(head, at, length));
                return out->backing_format ? 0 : wrong(err, "the format of its backing file is not text");
        }
        return 0;
}

/* Reads them from the end of the header up to the end mark. They must end within the first cluster. */
static int read_extensions(const struct head *head, struct qcow2_header *out, struct error **err)
{
        uint64_t at = head->version == 2 ? LENGTH_2 : number(head, AT_LENGTH, 4);
        uint64_t most = UINT64_C(1) << head->cluster_bits;

        if (most > head->length)
                most = head->length;
        if (head->version == 3 && (at < LENGTH_3 || at % 8 != 0))
                return wrong(err, "its header has an invalid length");
        while (at + 8 <= most) {
                uint32_t type = (uint32_t)number(head, at, 4);
                uint64_t length = number(head, at + 4, 4);

                if (type == EXTENSION_END)
                        return 0;
                at += 8;
                if (length > most - at)
                        break;
                if (take_extension(head, type, at, length, out, err) < 0)
                        return -1;
                at += (length + 7) / 8 * 8;
        }
        return wrong(err, "its header doesn't end");
}

static int read_backing(const struct head *head, struct qcow2_header *out, struct error **err)
{
        uint64_t offset = number(head, AT_BACKING_OFFSET, 8);
        uint64_t length = number(head, AT_BACKING_LENGTH, 4);

        if (offset == 0)
                return 0;
        if (length == 0 || length > BACKING_MOST || offset < LENGTH_2 || offset > head->length ||
            length > head->length - offset)
                return wrong(err, "the name of its backing file is not in its header");
        out->backing = text_at(head, offset, length);
        return out->backing ? 0 : wrong(err, "the name of its backing file is not text");
}

int qcow2_parse(const unsigned char *head_bytes, size_t length, int64_t file_bytes, struct qcow2_header *out,
                struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;
        struct head head = { .data = head_bytes, .length = length, .file_bytes = file_bytes };

        if (check_basics(&head, err) < 0 || check_features(&head, err) < 0 || check_tables(&head, &header, err) < 0 ||
            read_extensions(&head, &header, err) < 0 || read_backing(&head, &header, err) < 0)
                return -1;
        *out = header;
        header = (struct qcow2_header)QCOW2_HEADER_INIT;
        return 0;
}

static int check_backing(const struct qcow2_header *header, const char *wanted, struct error **err)
{
        _cleanup_(freep) char *shown = header->backing ? text_visible_dup(header->backing) : NULL;

        if (!header->backing)
                return wanted ? error_set(err, ERROR_ENGINE, "it stands on nothing instead of '%s'", wanted) : 0;
        if (!wanted)
                return error_set(err, ERROR_ENGINE, "it stands on '%s' instead of nothing", shown);
        if (!streq(header->backing, wanted))
                return error_set(err, ERROR_ENGINE, "it stands on '%s' instead of '%s'", shown, wanted);
        if (!streq_ptr(header->backing_format, "qcow2"))
                return wrong(err, "its backing file has another format");
        return 0;
}

static int check_size(const struct qcow2_header *header, const struct qcow2_wish *wish, struct error **err)
{
        int64_t most = wish->most > INT64_MAX - SECTOR ? wish->most : (wish->most + SECTOR - 1) / SECTOR * SECTOR;

        if (header->bytes >= wish->least && header->bytes <= most)
                return 0;
        return error_set(err, ERROR_ENGINE, "its size is %jd bytes, which is %s than it was made with", (intmax_t)header->bytes,
                         header->bytes < wish->least ? "less" : "more");
}

/* Reads its first bytes. Returns how many there are, or -1. */
static ssize_t read_head(const char *path, unsigned char *head, int64_t *file_bytes, struct error **err)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        struct stat status;
        ssize_t length;

        if (fd < 0 || fstat(fd, &status) < 0) {
                error_errno(err, ERROR_ENGINE, "it can't be opened");
                return file_hint(err, path, errno);
        }
        if (!S_ISREG(status.st_mode))
                return wrong(err, "it is not a file");
        *file_bytes = (int64_t)status.st_size;
        length = pread(fd, head, QCOW2_HEAD_BYTES, 0);
        return length < 0 ? error_errno(err, ERROR_ENGINE, "it can't be read") : length;
}

int qcow2_read(const char *path, struct qcow2_header *out, struct error **err)
{
        _cleanup_(freep) unsigned char *head = xmalloc(QCOW2_HEAD_BYTES);
        int64_t file_bytes = 0;
        ssize_t length = read_head(path, head, &file_bytes, err);

        return length < 0 ? -1 : qcow2_parse(head, (size_t)length, file_bytes, out, err);
}

static int check(const char *path, const struct qcow2_wish *wish, struct qcow2_header *header, struct error **err)
{
        if (qcow2_read(path, header, err) < 0)
                return -1;
        return check_backing(header, wish->backing, err) < 0 || check_size(header, wish, err) < 0 ? -1 : 0;
}

int qcow2_check(const char *path, const struct qcow2_wish *wish, int64_t *bytes, struct error **err)
{
        _cleanup_(qcow2_header_clear) struct qcow2_header header = QCOW2_HEADER_INIT;

        if (check(path, wish, &header, err) < 0)
                return error_wrap(err, "the disk '%s' is not as it was made, so it is not opened", path);
        if (bytes)
                *bytes = header.bytes;
        return 0;
}
