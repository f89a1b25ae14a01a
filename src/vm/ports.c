#include "ports.h"

int ports_check(const struct vm_record *record, struct error **err)
{
        for (size_t i = 0; i < record->port_count; i++) {
                uint16_t port = record->ports[i].host;
                _cleanup_(freep) char *holder = ports_holder(port);

                if (!holder)
                        continue;
                error_set(err, ERROR_ENGINE, "port %u on 127.0.0.1 is in use by %s", port, holder);
                return error_hint(err, "stop it, or change 'ports' of project '%s'", record->name);
        }
        return 0;
}
