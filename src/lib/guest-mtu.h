/*
 * The longest IPv4 packet, in bytes, that the network device of a guest of ours takes: the engine gives it to QEMU (host_mtu),
 * machine-net to libslirp. There is no wire that could ask for the usual 1500. Each frame costs QEMU and machine-net a round,
 * so long ones carry a download with a sixth of the work.
 */
#pragma once

#define GUEST_MTU 9000
