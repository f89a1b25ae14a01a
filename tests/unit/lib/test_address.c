/* What an address reaches: the first and last address of every range, and their neighbours, which are public. */
#include "check.h"

#include <arpa/inet.h>

#include "lib/address.h"

struct row {
        const char *address;
        enum address_class class;
};

/* Names the address if its class is not the expected one. */
static void check(const struct row *rows, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                bool is_v6 = strchr(rows[i].address, ':');
                struct in_addr v4 = { 0 };
                struct in6_addr v6 = IN6ADDR_ANY_INIT;
                enum address_class class;

                assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, rows[i].address, is_v6 ? (void *)&v6 : (void *)&v4), 1);
                class = is_v6 ? address_classify6(&v6) : address_classify4(v4);
                if (class != rows[i].class)
                        fail_msg("'%s' counts as %s, not as %s", rows[i].address, address_class_name(class),
                                 address_class_name(rows[i].class));
        }
}

static void ipv4_ranges_end_where_the_registry_says(void **state)
{
        static const struct row rows[] = {
                { "0.0.0.0", ADDRESS_LOOPBACK },
                { "0.255.255.255", ADDRESS_LOOPBACK },
                { "1.0.0.0", ADDRESS_PUBLIC },
                { "9.255.255.255", ADDRESS_PUBLIC },
                { "10.0.0.0", ADDRESS_PRIVATE },
                { "10.255.255.255", ADDRESS_PRIVATE },
                { "11.0.0.0", ADDRESS_PUBLIC },
                { "100.63.255.255", ADDRESS_PUBLIC },
                { "100.64.0.0", ADDRESS_PRIVATE },
                { "100.127.255.255", ADDRESS_PRIVATE },
                { "100.128.0.0", ADDRESS_PUBLIC },
                { "126.255.255.255", ADDRESS_PUBLIC },
                { "127.0.0.0", ADDRESS_LOOPBACK },
                { "127.0.0.1", ADDRESS_LOOPBACK },
                { "127.255.255.255", ADDRESS_LOOPBACK },
                { "128.0.0.0", ADDRESS_PUBLIC },
                { "169.253.255.255", ADDRESS_PUBLIC },
                { "169.254.0.0", ADDRESS_LINK_LOCAL },
                { "169.254.255.255", ADDRESS_LINK_LOCAL },
                { "169.255.0.0", ADDRESS_PUBLIC },
                { "172.15.255.255", ADDRESS_PUBLIC },
                { "172.16.0.0", ADDRESS_PRIVATE },
                { "172.31.255.255", ADDRESS_PRIVATE },
                { "172.32.0.0", ADDRESS_PUBLIC },
                { "191.255.255.255", ADDRESS_PUBLIC },
                { "192.0.0.0", ADDRESS_RESERVED },
                { "192.0.0.255", ADDRESS_RESERVED },
                { "192.0.1.0", ADDRESS_PUBLIC },
                { "192.0.2.0", ADDRESS_UNASSIGNED },
                { "192.0.2.255", ADDRESS_UNASSIGNED },
                { "192.0.3.0", ADDRESS_PUBLIC },
                { "192.88.98.255", ADDRESS_PUBLIC },
                { "192.88.99.0", ADDRESS_RESERVED },
                { "192.88.99.255", ADDRESS_RESERVED },
                { "192.88.100.0", ADDRESS_PUBLIC },
                { "192.167.255.255", ADDRESS_PUBLIC },
                { "192.168.0.0", ADDRESS_PRIVATE },
                { "192.168.255.255", ADDRESS_PRIVATE },
                { "192.169.0.0", ADDRESS_PUBLIC },
                { "198.17.255.255", ADDRESS_PUBLIC },
                { "198.18.0.0", ADDRESS_UNASSIGNED },
                { "198.19.255.255", ADDRESS_UNASSIGNED },
                { "198.20.0.0", ADDRESS_PUBLIC },
                { "198.51.99.255", ADDRESS_PUBLIC },
                { "198.51.100.0", ADDRESS_UNASSIGNED },
                { "198.51.100.255", ADDRESS_UNASSIGNED },
                { "198.51.101.0", ADDRESS_PUBLIC },
                { "203.0.112.255", ADDRESS_PUBLIC },
                { "203.0.113.0", ADDRESS_UNASSIGNED },
                { "203.0.113.255", ADDRESS_UNASSIGNED },
                { "203.0.114.0", ADDRESS_PUBLIC },
                { "223.255.255.255", ADDRESS_PUBLIC },
                { "224.0.0.0", ADDRESS_MULTICAST },
                { "239.255.255.255", ADDRESS_MULTICAST },
                { "240.0.0.0", ADDRESS_RESERVED },
                { "255.255.255.254", ADDRESS_RESERVED },
                { "255.255.255.255", ADDRESS_MULTICAST },
                { "8.8.8.8", ADDRESS_PUBLIC },
        };

        check(rows, ARRAY_SIZE(rows));
}

static void cloud_metadata_is_told_from_its_neighbours(void **state)
{
        static const struct row rows[] = {
                { "169.254.169.254", ADDRESS_METADATA },   { "169.254.169.253", ADDRESS_LINK_LOCAL },
                { "169.254.170.2", ADDRESS_METADATA },     { "169.254.170.23", ADDRESS_METADATA },
                { "169.254.42.42", ADDRESS_METADATA },     { "100.100.100.200", ADDRESS_METADATA },
                { "100.100.100.201", ADDRESS_PRIVATE },    { "192.0.0.192", ADDRESS_METADATA },
                { "168.63.129.16", ADDRESS_METADATA },     { "168.63.129.17", ADDRESS_PUBLIC },
                { "fd00:ec2::254", ADDRESS_METADATA },     { "fd00:ec2::253", ADDRESS_PRIVATE },
                { "fd00:ec2::23", ADDRESS_METADATA },      { "fd20:ce::254", ADDRESS_METADATA },
                { "fd00:42::42", ADDRESS_METADATA },       { "fe80::a9fe:a9fe", ADDRESS_METADATA },
                { "fe80::a9fe:a9ff", ADDRESS_LINK_LOCAL },
        };

        check(rows, ARRAY_SIZE(rows));
}

static void ipv6_ranges_end_where_the_registry_says(void **state)
{
        static const struct row rows[] = {
                { "::", ADDRESS_LOOPBACK },
                { "::1", ADDRESS_LOOPBACK },
                { "::2", ADDRESS_RESERVED },
                { "100::", ADDRESS_RESERVED },
                { "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "2000::", ADDRESS_PUBLIC },
                { "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PUBLIC },
                { "2001::", ADDRESS_RESERVED }, /* Teredo contains a scrambled IPv4 address */
                { "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "2001:200::", ADDRESS_PUBLIC },
                { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PUBLIC },
                { "2001:db8::", ADDRESS_RESERVED },
                { "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "2001:db9::", ADDRESS_PUBLIC },
                { "2606:4700:4700::1111", ADDRESS_PUBLIC },
                { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PUBLIC },
                { "3fff::", ADDRESS_RESERVED },
                { "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "3fff:1000::", ADDRESS_PUBLIC },
                { "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PUBLIC },
                { "4000::", ADDRESS_RESERVED },
                { "5f00::", ADDRESS_RESERVED },
                { "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "fc00::", ADDRESS_PRIVATE },
                { "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PRIVATE },
                { "fe00::", ADDRESS_RESERVED },
                { "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_RESERVED },
                { "fe80::", ADDRESS_LINK_LOCAL },
                { "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_LINK_LOCAL },
                { "fec0::", ADDRESS_PRIVATE },
                { "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_PRIVATE },
                { "ff00::", ADDRESS_MULTICAST },
                { "ff02::1", ADDRESS_MULTICAST },
                { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDRESS_MULTICAST },
        };

        check(rows, ARRAY_SIZE(rows));
}

static void an_ipv4_address_inside_an_ipv6_one_counts(void **state)
{
        static const struct row rows[] = {
                { "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
                { "::ffff:10.1.2.3", ADDRESS_PRIVATE },
                { "::ffff:8.8.8.8", ADDRESS_PUBLIC },
                { "::ffff:169.254.169.254", ADDRESS_METADATA },
                { "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
                { "64:ff9b::192.168.1.1", ADDRESS_PRIVATE },
                { "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
                { "64:ff9b::169.254.169.254", ADDRESS_METADATA },
                { "64:ff9b:0:1::8.8.8.8", ADDRESS_RESERVED },
                { "64:ff9b:1::8.8.8.8", ADDRESS_PRIVATE },
                { "64:ff9b:1:ffff::8.8.8.8", ADDRESS_PRIVATE },
                { "64:ff9b:2::8.8.8.8", ADDRESS_RESERVED },
                { "2002:7f00:1::", ADDRESS_LOOPBACK },
                { "2002:a00:1::1", ADDRESS_PRIVATE },
                { "2002:808:808::1", ADDRESS_PUBLIC },
                { "2002:a9fe:a9fe::", ADDRESS_METADATA },
                { "2003::", ADDRESS_PUBLIC },
                { "::8.8.8.8", ADDRESS_RESERVED },
                { "::127.0.0.1", ADDRESS_RESERVED },
                { "::ffff:0:8.8.8.8", ADDRESS_RESERVED },
        };

        check(rows, ARRAY_SIZE(rows));
}

static void classes_have_names(void **state)
{
        assert_string_equal(address_class_name(ADDRESS_PUBLIC), "public");
        assert_string_equal(address_class_name(ADDRESS_LOOPBACK), "loopback");
        assert_string_equal(address_class_name(ADDRESS_PRIVATE), "private");
        assert_string_equal(address_class_name(ADDRESS_LINK_LOCAL), "link-local");
        assert_string_equal(address_class_name(ADDRESS_METADATA), "metadata");
        assert_string_equal(address_class_name(ADDRESS_MULTICAST), "multicast");
        assert_string_equal(address_class_name(ADDRESS_RESERVED), "reserved");
        assert_string_equal(address_class_name(ADDRESS_UNASSIGNED), "unassigned");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ipv4_ranges_end_where_the_registry_says),
                cmocka_unit_test(cloud_metadata_is_told_from_its_neighbours),
                cmocka_unit_test(ipv6_ranges_end_where_the_registry_says),
                cmocka_unit_test(an_ipv4_address_inside_an_ipv6_one_counts),
                cmocka_unit_test(classes_have_names),
        };

        return cmocka_run_group_tests_name("lib/address", tests, NULL, NULL);
}
