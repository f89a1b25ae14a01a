/*
 * The guest's network as machine-net makes it: 10.0.2.0/24 with nobody on it but the guest and two addresses of ours.
 * Values in host byte order.
 */
#pragma once

#include <stdint.h>

#define NETWORK_ADDRESS   UINT32_C(0x0a000200) /* 10.0.2.0 */
#define NETWORK_MASK      UINT32_C(0xffffff00)
#define NETWORK_GATEWAY   UINT32_C(0x0a000202) /* 10.0.2.2: DHCP, and where forwarded connections come from */
#define NETWORK_DNS       UINT32_C(0x0a000203) /* 10.0.2.3 */
#define NETWORK_GUEST     UINT32_C(0x0a00020f) /* 10.0.2.15 */
#define NETWORK_BROADCAST UINT32_C(0x0a0002ff)

#define NETWORK_PORT_SSH         22
#define NETWORK_PORT_DNS         53
#define NETWORK_PORT_DHCP_SERVER 67
#define NETWORK_PORT_DHCP_CLIENT 68
