#include "vm/engine.h"

static const char *const states[] = {
        [VM_ABSENT] = "absent", [VM_STOPPED] = "stopped", [VM_RUNNING] = "running",           [VM_PARKED] = "parked",
        [VM_BROKEN] = "broken", [VM_PAUSED] = "paused",   [VM_UNRESPONSIVE] = "unresponsive",
};

void vm_status_clear(struct vm_status *status)
{
        free(status->reason);
        free(status->hint);
        *status = (struct vm_status)VM_STATUS_INIT;
}

const char *vm_state_name(enum vm_state state)
{
        return states[state];
}

char *vm_status_text(const struct vm_status *status)
{
        return status->reason ? xasprintf("%s: %s", states[status->state], status->reason) : xstrdup(states[status->state]);
}

bool vm_state_is_alive(enum vm_state state)
{
        return state == VM_RUNNING || state == VM_PAUSED || state == VM_UNRESPONSIVE;
}

void engine_probe_clear(struct engine_probe *probe)
{
        free(probe->version);
        free(probe->acceleration);
        free(probe->note);
        free(probe->hint);
        *probe = (struct engine_probe)ENGINE_PROBE_INIT;
}

void engine_layers_clear(struct engine_layers *layers)
{
        for (size_t i = 0; i < layers->count; i++) {
                free(layers->items[i].key);
                free(layers->items[i].kind);
                free(layers->items[i].engine);
                free(layers->items[i].parent);
                strv_clear(&layers->items[i].lacks);
                free(layers->items[i].about);
                free(layers->items[i].created);
                free(layers->items[i].used);
                free(layers->items[i].uuid);
                free(layers->items[i].label);
        }
        free(layers->items);
        *layers = (struct engine_layers)ENGINE_LAYERS_INIT;
}

void engine_filled_clear(struct engine_filled *filled)
{
        free(filled->key);
        strv_clear(&filled->lacks);
        *filled = (struct engine_filled)ENGINE_FILLED_INIT;
}

void engine_weaker_lines(const struct engine *engine, bool lan, struct strv *ids, struct strv *texts)
{
        for (const struct weaker_line *line = engine->weaker; line && line->id; line++) {
                if (line->lan && lan)
                        continue;
                if (ids)
                        strv_add(ids, line->id);
                if (texts)
                        strv_add(texts, line->text);
        }
}
