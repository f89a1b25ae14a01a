#include "vm/engine.h"

static const char *const states[] = {
        [VM_ABSENT] = "absent", [VM_STOPPED] = "stopped", [VM_RUNNING] = "running",
        [VM_PARKED] = "parked", [VM_BROKEN] = "broken",
};

void vm_status_clear(struct vm_status *status)
{
        free(status->reason);
        *status = (struct vm_status)VM_STATUS_INIT;
}

const char *vm_state_name(enum vm_state state)
{
        return states[state];
}

void engine_probe_clear(struct engine_probe *probe)
{
        free(probe->version);
        free(probe->acceleration);
        free(probe->note);
        free(probe->hint);
        *probe = (struct engine_probe)ENGINE_PROBE_INIT;
}
