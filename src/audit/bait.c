#include "audit/bait.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os.h"

#define BACKLOG 64
/* One is enough to know. A guest that connects without end is not counted for ever. */
#define TAKEN_MOST 1000

void baits_clear(struct baits *baits)
{
        for (size_t i = 0; i < baits->count; i++) {
                close(baits->items[i].fd);
                free(baits->items[i].text);
        }
        free(baits->items);
        *baits = (struct baits)BAITS_INIT;
}

uint16_t bait_port(const struct bait *bait)
{
        if (bait->address.ss_family == AF_INET6)
                return ntohs(((const struct sockaddr_in6 *)(const void *)&bait->address)->sin6_port);
        return ntohs(((const struct sockaddr_in *)(const void *)&bait->address)->sin_port);
}

/* An address that is going away, or is not up yet, can't be bound: nobody reaches it either. */
static int listen_on(const struct sockaddr *address, socklen_t length)
{
        _cleanup_(closep) int fd = os_socket(address->sa_family, SOCK_STREAM);

        if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || bind(fd, address, length) < 0 || listen(fd, BACKLOG) < 0)
                return -1;
        return TAKE_FD(fd);
}

static void lay(struct baits *baits, const struct sockaddr *address)
{
        struct bait bait = { .length = sizeof(bait.address) };
        char text[INET6_ADDRSTRLEN];

        if (address->sa_family == AF_INET) {
                const struct sockaddr_in *four = (const void *)address;

                bait.loopback = ntohl(four->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
                inet_ntop(AF_INET, &four->sin_addr, text, sizeof(text));
                bait.fd = listen_on(address, sizeof(*four));
        } else if (address->sa_family == AF_INET6) {
                const struct sockaddr_in6 *six = (const void *)address;

                if (IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
                        return;
                bait.loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
                inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof(text));
                bait.fd = listen_on(address, sizeof(*six));
        } else {
                return;
        }
        if (bait.fd < 0)
                return;
        if (getsockname(bait.fd, (struct sockaddr *)(void *)&bait.address, &bait.length) < 0) {
                close(bait.fd);
                return;
        }
        bait.text = xstrdup(text);
        baits->items = xreallocarray(baits->items, baits->count + 1, sizeof(*baits->items));
        baits->items[baits->count++] = bait;
}

int baits_lay(struct baits *out, struct error **err)
{
        struct ifaddrs *list;

        if (getifaddrs(&list) < 0)
                return error_errno(err, ERROR_FAILED, "cannot list this computer's addresses");
        for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next)
                if (entry->ifa_addr) {
                        struct sockaddr_storage address = { 0 };
                        size_t length = entry->ifa_addr->sa_family == AF_INET    ? sizeof(struct sockaddr_in)
                                        : entry->ifa_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                                 : 0;

                        memcpy(&address, entry->ifa_addr, length);
                        if (length > 0)
                                lay(out, (const struct sockaddr *)(const void *)&address);
                }
        freeifaddrs(list);
        if (out->count == 0)
                return error_set(err, ERROR_FAILED, "cannot listen on any address of this computer");
        return 0;
}

unsigned bait_taken(const struct bait *bait)
{
        unsigned taken = 0;

        while (taken < TAKEN_MOST) {
                int fd = accept(bait->fd, NULL, NULL);

                if (fd < 0)
                        break;
                close(fd);
                taken++;
        }
        return taken;
}
