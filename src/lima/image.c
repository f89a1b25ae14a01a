#include "image.h"

#include "image/adopt.h"
#include "image/base.h"
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

static int take_foreign(const char *location, const char *digest, const char *user, struct image *out, struct error **err)
{
        _cleanup_(strbuf_clear) struct strbuf adoption = STRBUF_INIT;
        struct hash hash;

        if (adopt_script(user, &adoption, err) < 0)
                return -1;
        hash_init(&hash);
        hash_add_text(&hash, "image");
        hash_add_text(&hash, location);
        hash_add_text(&hash, digest);
        out->location = location;
        out->digest = digest;
        out->adoption = strbuf_take(&adoption);
        out->key = hash_hex(&hash);
        return 0;
}

static int take_base(struct image *out, struct error **err)
{
        if (layer_use(out->layer.key, &out->in_use, err) < 0)
                return -1;
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
        found = base_find(record->user, &out->layer, err);
        if (found < 0)
                return -1;
        if (found == 0 && system_image.location)
                return take_foreign(system_image.location, system_image.digest, record->user, out, err);
        if (found == 0 && base_ensure(record->user, events, &out->layer, err) < 0)
                return -1;
        return take_base(out, err);
}
