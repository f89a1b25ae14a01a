#include "net/stack.h"

#include <arpa/inet.h>

#include "net/packet.h"

SlirpConfig stack_config(const struct network *network)
{
        return (SlirpConfig){
                .version = 4,
                .in_enabled = true,
                .vnetwork.s_addr = htonl(network->address),
                .vnetmask.s_addr = htonl(NETWORK_MASK),
                .vhost.s_addr = htonl(network->gateway),
                .vdhcp_start.s_addr = htonl(network->guest),
                .vnameserver.s_addr = htonl(network->dns),
                .if_mtu = network->mtu,
                .if_mru = network->mtu,
                .disable_host_loopback = true,
                /* The conduit reaches the resolver: libslirp would open files for it. */
                .disable_dns = true,
        };
}
