#include "lib/address.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/util.h"

struct range4 {
        uint32_t network;
        unsigned bits;
        enum address_class class;
};

struct range6 {
        uint8_t network[16]; /* bytes that aren't written are zero */
        unsigned bits;
        enum address_class class;
};

#define IP4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/*
 * The first row that fits counts. IANA IPv4 Special-Purpose Address Registry, without the rows that it calls globally
 * reachable; metadata addresses from their vendors' manuals.
 */
static const struct range4 ranges4[] = {
        { IP4(169, 254, 169, 254), 32, ADDRESS_METADATA },  /* AWS, Azure, Google, OpenStack, Oracle, … */
        { IP4(169, 254, 170, 2), 32, ADDRESS_METADATA },    /* AWS: credentials of an ECS task */
        { IP4(169, 254, 170, 23), 32, ADDRESS_METADATA },   /* AWS: credentials of an EKS pod */
        { IP4(169, 254, 42, 42), 32, ADDRESS_METADATA },    /* Scaleway */
        { IP4(100, 100, 100, 200), 32, ADDRESS_METADATA },  /* Alibaba Cloud */
        { IP4(192, 0, 0, 192), 32, ADDRESS_METADATA },      /* Oracle Cloud Classic */
        { IP4(168, 63, 129, 16), 32, ADDRESS_METADATA },    /* Azure's wire server, in public space */
        { IP4(255, 255, 255, 255), 32, ADDRESS_MULTICAST }, /* RFC 919: limited broadcast */
        { IP4(0, 0, 0, 0), 8, ADDRESS_LOOPBACK },           /* RFC 791: "this network"; Linux takes 0.0.0.0 for itself */
        { IP4(10, 0, 0, 0), 8, ADDRESS_PRIVATE },           /* RFC 1918 */
        { IP4(100, 64, 0, 0), 10, ADDRESS_PRIVATE },        /* RFC 6598: carrier-grade NAT */
        { IP4(127, 0, 0, 0), 8, ADDRESS_LOOPBACK },         /* RFC 1122 */
        { IP4(169, 254, 0, 0), 16, ADDRESS_LINK_LOCAL },    /* RFC 3927 */
        { IP4(172, 16, 0, 0), 12, ADDRESS_PRIVATE },        /* RFC 1918 */
        { IP4(192, 0, 0, 0), 24, ADDRESS_RESERVED },        /* RFC 6890: IETF protocol assignments */
        { IP4(192, 0, 2, 0), 24, ADDRESS_UNASSIGNED },      /* RFC 5737: documentation */
        { IP4(192, 88, 99, 0), 24, ADDRESS_RESERVED },      /* RFC 7526: 6to4 relays, deprecated */
        { IP4(192, 168, 0, 0), 16, ADDRESS_PRIVATE },       /* RFC 1918 */
        { IP4(198, 18, 0, 0), 15, ADDRESS_UNASSIGNED },     /* RFC 2544: benchmarking */
        { IP4(198, 51, 100, 0), 24, ADDRESS_UNASSIGNED },   /* RFC 5737: documentation */
        { IP4(203, 0, 113, 0), 24, ADDRESS_UNASSIGNED },    /* RFC 5737: documentation */
        { IP4(224, 0, 0, 0), 4, ADDRESS_MULTICAST },        /* RFC 5771 */
        { IP4(240, 0, 0, 0), 4, ADDRESS_RESERVED },         /* RFC 1112: future use */
};

/* The first row that fits counts. IANA IPv6 Special-Purpose Address Registry and IPv6 Address Space. */
static const struct range6 ranges6[] = {
        { { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128, ADDRESS_METADATA }, /* AWS */
        { { 0xfd, 0x00, 0x0e, 0xc2, [15] = 0x23 }, 128, ADDRESS_METADATA },              /* AWS: credentials of an EKS pod */
        { { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54 }, 128, ADDRESS_METADATA }, /* Google */
        { { 0xfd, 0x00, 0x00, 0x42, [15] = 0x42 }, 128, ADDRESS_METADATA },              /* Scaleway */
        { { 0xfe, 0x80, [12] = 0xa9, 0xfe, 0xa9, 0xfe }, 128, ADDRESS_METADATA },        /* OpenStack */
        { { 0 }, 128, ADDRESS_LOOPBACK },                                                /* RFC 4291: unspecified */
        { { [15] = 1 }, 128, ADDRESS_LOOPBACK },                                         /* RFC 4291 */
        { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, ADDRESS_PRIVATE },                 /* RFC 8215: NAT64 within a network */
        { { 0x20, 0x01 }, 23, ADDRESS_RESERVED },             /* RFC 2928: protocols; Teredo, ORCHID */
        { { 0x20, 0x01, 0x0d, 0xb8 }, 32, ADDRESS_RESERVED }, /* RFC 3849: documentation */
        { { 0x3f, 0xff }, 20, ADDRESS_RESERVED },             /* RFC 9637: documentation */
        { { 0xfc }, 7, ADDRESS_PRIVATE },                     /* RFC 4193 */
        { { 0xfe, 0x80 }, 10, ADDRESS_LINK_LOCAL },           /* RFC 4291 */
        { { 0xfe, 0xc0 }, 10, ADDRESS_PRIVATE },              /* RFC 3879: site-local, deprecated */
        { { 0xff }, 8, ADDRESS_MULTICAST },                   /* RFC 4291 */
        { { 0x20 }, 3, ADDRESS_PUBLIC },                      /* RFC 4291: all global unicast there is */
        { { 0 }, 0, ADDRESS_RESERVED },                       /* discard-only, SRv6 SIDs, unassigned */
};

/* Prefixes that an IPv4 address follows. */
static const struct {
        uint8_t network[16];
        unsigned bits;
        size_t offset; /* of the IPv4 address, in bytes */
} embeddings[] = {
        { { [10] = 0xff, 0xff }, 96, 12 },      /* RFC 4291: IPv4-mapped */
        { { 0x00, 0x64, 0xff, 0x9b }, 96, 12 }, /* RFC 6052: NAT64 */
        { { 0x20, 0x02 }, 16, 2 },              /* RFC 3056: 6to4 */
};

static bool has_prefix(const uint8_t address[16], const uint8_t network[16], unsigned bits)
{
        unsigned rest = bits % 8;

        if (memcmp(address, network, bits / 8) != 0)
                return false;
        return rest == 0 || (address[bits / 8] ^ network[bits / 8]) >> (8 - rest) == 0;
}

enum address_class address_classify4(struct in_addr address)
{
        uint32_t host = ntohl(address.s_addr);

        for (size_t i = 0; i < ARRAY_SIZE(ranges4); i++)
                if ((host ^ ranges4[i].network) >> (32 - ranges4[i].bits) == 0)
                        return ranges4[i].class;
        return ADDRESS_PUBLIC;
}

enum address_class address_classify6(const struct in6_addr *address)
{
        const uint8_t *bytes = address->s6_addr;

        for (size_t i = 0; i < ARRAY_SIZE(embeddings); i++) {
                struct in_addr inside;

                if (!has_prefix(bytes, embeddings[i].network, embeddings[i].bits))
                        continue;
                memcpy(&inside, bytes + embeddings[i].offset, sizeof(inside));
                return address_classify4(inside);
        }
        for (size_t i = 0; i < ARRAY_SIZE(ranges6); i++)
                if (has_prefix(bytes, ranges6[i].network, ranges6[i].bits))
                        return ranges6[i].class;
        return ADDRESS_RESERVED;
}

const char *address_class_name(enum address_class class)
{
        static const char *const names[] = {
                [ADDRESS_PUBLIC] = "public",         [ADDRESS_LOOPBACK] = "loopback",     [ADDRESS_PRIVATE] = "private",
                [ADDRESS_LINK_LOCAL] = "link-local", [ADDRESS_METADATA] = "metadata",     [ADDRESS_MULTICAST] = "multicast",
                [ADDRESS_RESERVED] = "reserved",     [ADDRESS_UNASSIGNED] = "unassigned",
        };

        return names[class];
}
