#include "net/network.h"

#include "lib/guest-mtu.h"
#include "lib/util.h"

#define HOSTS(base) .address = (base), .gateway = (base) + 2, .dns = (base) + 3, .guest = (base) + 15, .broadcast = (base) + 255

/* A UDP datagram that is too long for the host's own network leaves in fragments, which the host's kernel makes. */
const struct network network_default = { .name = "10.0.2.0", HOSTS(UINT32_C(0x0a000200)), .mtu = GUEST_MTU };

/* Source: Lima's pkg/networks/const.go. Lima's QEMU gives the guest an ordinary device. */
static const struct network network_lima = { .name = "192.168.5.0", HOSTS(UINT32_C(0xc0a80500)), .mtu = 1500 };

static const struct network *const networks[] = { &network_default, &network_lima };

const struct network *network_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(networks); i++)
                if (streq(networks[i]->name, name))
                        return networks[i];
        return NULL;
}
