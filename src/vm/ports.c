#include "vm/ports.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/file.h"
#include "lib/os.h"

int ports_choose(uint16_t *port, struct error **err)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        _cleanup_(closep) int probe = os_socket(AF_INET, SOCK_STREAM);

        if (probe < 0 || bind(probe, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
            getsockname(probe, (struct sockaddr *)&address, &length) < 0)
                return error_errno(err, ERROR_FAILED, "cannot find a free port of 127.0.0.1");
        *port = ntohs(address.sin_port);
        return 0;
}

uint16_t ports_host(const struct vm_record *record, uint16_t guest, uint16_t host)
{
        for (size_t i = 0; i < record->port_count; i++)
                if (record->ports[i].guest == guest && (host == 0 || record->ports[i].host == host))
                        return record->ports[i].host;
        return 0;
}

uint16_t ports_guest(const struct vm_record *record, uint16_t host)
{
        for (size_t i = 0; i < record->port_count; i++)
                if (record->ports[i].host == host)
                        return record->ports[i].guest;
        return 0;
}

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
