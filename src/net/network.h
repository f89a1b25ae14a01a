/*
 * The guest's network as machine-net makes it: a /24 with nothing on it but the guest and two addresses of ours. There are two
 * to choose from, because a guest of Lima's has its addresses from Lima. Values are in host byte order.
 */
#pragma once

#include <stdint.h>

#define NETWORK_MASK UINT32_C(0xffffff00)

struct network {
        const char *name; /* its address, "10.0.2.0" */
        uint32_t address; /* the same */
        uint32_t gateway; /* .2: DHCP, and where forwarded connections come from */
        uint32_t dns;     /* .3 */
        uint32_t guest;   /* .15 */
        uint32_t broadcast;
        uint16_t mtu; /* bytes of the longest IPv4 packet, as the guest's network device has it */
};

/* 10.0.2.0: the network of guests that we start ourselves, and the default. */
extern const struct network network_default;
/* Returns the network of that name; NULL = there is none. Static. */
const struct network *network_find(const char *name);

#define NETWORK_PORT_SSH         22
#define NETWORK_PORT_DNS         53
#define NETWORK_PORT_DHCP_SERVER 67
#define NETWORK_PORT_DHCP_CLIENT 68
