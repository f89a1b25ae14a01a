#include "plan/prune.h"

/* A template stands on a base and a layer for each profile; more than this is a circle. */
#define DEPTH_MOST 72

void prune_clear(struct prune *prune)
{
        free(prune->steps);
        *prune = (struct prune)PRUNE_INIT;
}

static void add(struct prune *out, size_t layer, bool memory_only, int64_t bytes, const char *reason)
{
        out->steps = xreallocarray(out->steps, out->count + 1, sizeof(*out->steps));
        out->steps[out->count++] =
                (struct prune_step){ .layer = layer, .memory_only = memory_only, .bytes = bytes, .reason = reason };
}

static const struct engine_layer *find(const struct engine_layers *layers, const char *key)
{
        for (size_t i = 0; key && i < layers->count; i++)
                if (streq(layers->items[i].key, key))
                        return &layers->items[i];
        return NULL;
}

/* Does `layer` stand on `below`, or is it the same? A layer of which that can't be told may stand on any. */
static bool stands_on(const struct engine_layers *layers, const struct engine_layer *layer, const struct engine_layer *below)
{
        for (int depth = 0; layer && depth < DEPTH_MOST; depth++) {
                if (layer == below || layer->unsure)
                        return true;
                layer = find(layers, layer->parent);
        }
        return false;
}

bool prune_is_used(const struct engine_layers *layers, size_t layer, const struct strv *used)
{
        for (size_t i = 0; i < layers->count; i++)
                if ((layers->items[i].held || layers->items[i].kept || strv_contains(used, layers->items[i].key)) &&
                    stands_on(layers, &layers->items[i], &layers->items[layer]))
                        return true;
        return false;
}

void prune_owners(const struct engine_layers *layers, size_t layer, const struct strv *used, const struct strv *owners,
                  struct strv *out)
{
        for (size_t i = 0; i < used->count; i++) {
                const struct engine_layer *stands = find(layers, used->items[i]);

                if (stands && stands_on(layers, stands, &layers->items[layer]))
                        strv_add(out, owners->items[i]);
        }
}

size_t prune_layers_on(const struct engine_layers *layers, size_t layer)
{
        size_t count = 0;

        for (size_t i = 0; i < layers->count; i++)
                count += i != layer && stands_on(layers, &layers->items[i], &layers->items[layer]);
        return count;
}

/* Would a new VM be made from the layer, or from one that stands on it? */
static bool is_wanted(const struct engine_layers *layers, size_t layer)
{
        for (size_t i = 0; i < layers->count; i++)
                if (layers->items[i].current && stands_on(layers, &layers->items[i], &layers->items[layer]))
                        return true;
        return false;
}

static unsigned depth_of(const struct engine_layers *layers, size_t layer)
{
        const struct engine_layer *at = find(layers, layers->items[layer].parent);
        unsigned depth = 0;

        if (layers->items[layer].unsure)
                return DEPTH_MOST;
        for (; at && depth < DEPTH_MOST; depth++)
                at = find(layers, at->parent);
        return depth;
}

static void consider(const struct engine_layers *layers, size_t i, const struct strv *used, bool all, struct prune *out)
{
        const struct engine_layer *layer = &layers->items[i];

        if (layer->held || layer->kept)
                return;
        if (prune_is_used(layers, i, used)) {
                if (all && layer->memory_bytes > 0)
                        add(out, i, true, layer->memory_bytes, "only new VMs need its memory");
        } else if (all || !is_wanted(layers, i)) {
                add(out, i, false, layer->disk_bytes + layer->memory_bytes, "no VM stands on it");
        }
}

int64_t prune_bytes(const struct prune *prune)
{
        int64_t total = 0;

        for (size_t i = 0; i < prune->count; i++)
                total += prune->steps[i].bytes;
        return total;
}

void prune_unused(const struct engine_layers *layers, const struct strv *used, bool all, struct prune *out)
{
        /* The highest in a stack first, so that nothing stands on a layer when its turn comes. */
        for (unsigned depth = DEPTH_MOST + 1; depth-- > 0;)
                for (size_t i = 0; i < layers->count; i++)
                        if (depth_of(layers, i) == depth)
                                consider(layers, i, used, all, out);
}

/* Returns the least recently used template that is not in `out` yet; `count` becomes how many there are. */
static size_t oldest(const struct engine_layers *layers, const struct prune *out, size_t *count)
{
        size_t found = 0;

        *count = 0;
        for (size_t i = 0; i < layers->count; i++) {
                const char *used = layers->items[i].used ? layers->items[i].used : "";
                const char *before = layers->items[found].used ? layers->items[found].used : "";
                bool taken = layers->items[i].memory_bytes <= 0;

                for (size_t j = 0; j < out->count; j++)
                        taken = taken || out->steps[j].layer == i;
                if (taken)
                        continue;
                if (*count == 0 || strcmp(used, before) < 0)
                        found = i;
                (*count)++;
        }
        return found;
}

void prune_budget(const struct engine_layers *layers, int64_t budget, struct prune *out)
{
        int64_t total = 0;
        size_t count;

        for (size_t i = 0; i < layers->count; i++)
                total += layers->items[i].memory_bytes;
        while (total > budget) {
                size_t i = oldest(layers, out, &count);

                if (count <= 1)
                        return;
                add(out, i, true, layers->items[i].memory_bytes, "the least recently used");
                total -= layers->items[i].memory_bytes;
        }
}
