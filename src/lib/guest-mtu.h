/*
 * The longest IPv4 packet, in bytes, that the network device of a guest of ours takes: the engine gives it to QEMU (host_mtu),
 * machine-net to libslirp. No wire limits it to the usual 1500. QEMU and machine-net do some work for each
 * frame, so a download in long frames takes a sixth of that work.
 */
#pragma once

#define GUEST_MTU 9000
