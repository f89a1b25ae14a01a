/*
 * Sorts IPv4 and IPv6 addresses by what they reach, for the network process and for whoever explains its refusals.
 * Sources: RFC 6890 and the IANA special-purpose registries; RFC 1918, 3927, 4193, 6598; cloud metadata at 169.254.169.254,
 * 100.100.100.200, fd00:ec2::254 and the like (each with its vendor in address.c).
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>

enum address_class {
        ADDRESS_PUBLIC,
        ADDRESS_LOOPBACK,   /* 127/8, ::1, 0/8, :: */
        ADDRESS_PRIVATE,    /* 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7 */
        ADDRESS_LINK_LOCAL, /* 169.254/16, fe80::/10 */
        ADDRESS_METADATA,   /* cloud metadata services */
        ADDRESS_MULTICAST,  /* 224/4, ff00::/8, 255.255.255.255 */
        ADDRESS_RESERVED,   /* 192.0.0/24, 240/4, outside 2000::/3, … */
        /*
         * 192.0.2/24, 198.18/15, 198.51.100/24, 203.0.113/24: for documentation and benchmarks, so no LAN uses them.
         * Transparent proxies answer names with these addresses to see every connection ("fake IP"). They are the way out for
         * people who have such a proxy.
         */
        ADDRESS_UNASSIGNED,
};

enum address_class address_classify4(struct in_addr address);
/* An IPv4-mapped, NAT64 (64:ff9b::/96) or 6to4 address counts as the IPv4 address inside. */
enum address_class address_classify6(const struct in6_addr *address);
/* "private", "link-local", … */
const char *address_class_name(enum address_class class);
