/* On macOS a plain user would have to walk through all processes to learn who holds a port. So this only finds out whether the
 * port is taken. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "lib/os.h"
#include "vm/ports.h"

char *ports_holder(uint16_t port)
{
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        _cleanup_(closep) int probe = os_socket(AF_INET, SOCK_STREAM);
        const int on = 1;

        if (probe < 0 || setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
            bind(probe, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno != EADDRINUSE)
                return NULL;
        return xstrdup("another process");
}
