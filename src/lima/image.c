#include "lima/image.h"

#include <fcntl.h>
#include <unistd.h>

#include "image/adopt.h"
#include "image/base.h"
#include "image/qcow2.h"
#include "lib/file.h"
#include "lib/hash.h"
#include "lima/system.h"

void image_clear(struct image *image)
{
        lock_release(&image->in_use);
        layer_clear(&image->layer);
        free(image->adoption);
        free(image->key);
        *image = (struct image)IMAGE_INIT;
}

char *image_key(const char *location, const char *digest)
{
        struct hash hash;

        hash_init(&hash);
        hash_add_text(&hash, "image");
        hash_add_text(&hash, location);
        hash_add_text(&hash, digest);
        return hash_hex(&hash);
}

static int take_foreign(const char *location, const char *digest, const char *user, struct image *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf adoption = STRBUF_INIT;

        if (adopt_script(user, &adoption, err) < 0)
                return -1;
        out->location = location;
        out->digest = digest;
        out->adoption = strbuf_take(&adoption);
        out->key = image_key(location, digest);
        return 0;
}

static int take_layer(const char *user, struct image *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf adoption = STRBUF_INIT;

        if (layer_use(out->layer.key, &out->in_use, err) < 0)
                return -1;
        /* A layer on a foreign image has had the script run, and the script then sees that it has nothing to do. */
        if (*layer_text(&out->layer, "image")) {
                if (adopt_script(user, &adoption, err) < 0)
                        return -1;
                out->adoption = strbuf_take(&adoption);
        }
        out->location = out->layer.disk;
        out->kernel = out->layer.kernel;
        out->initrd = out->layer.initrd;
        out->bytes = out->layer.disk_bytes;
        out->key = xstrdup(out->layer.key);
        return 0;
}

int image_choose(const struct vm_record *record, struct event_sink *events, struct image *out, struct error **err)
{
        int found;

        if (record->image)
                return take_foreign(record->image, record->image_digest, record->user, out, err);
        if (record->layer)
                return layer_open(record->layer, &out->layer, err) < 0 ? -1 : take_layer(record->user, out, err);
        found = base_find(record->user, NULL, &out->layer, err);
        if (found < 0)
                return -1;
        if (found == 0 && system_image.location)
                return take_foreign(system_image.location, system_image.digest, record->user, out, err);
        if (found == 0 && base_ensure(record->user, NULL, events, &out->layer, err) < 0)
                return -1;
        return take_layer(record->user, out, err);
}

static bool has_header(const char *path)
{
        _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        char magic[4];

        return fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "QFI\xfb", sizeof(magic)) == 0;
}

int image_check_disk(const char *path, int64_t most, bool *raw, struct error **err)
{
        bool headed = has_header(path);

        if (raw)
                *raw = !headed;
        return headed ? qcow2_check(path, &(struct qcow2_wish){ .most = most }, NULL, err) : 0;
}
