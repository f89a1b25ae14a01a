/*
 * Any bytes as a question and as an answer of DNS. Names have the form that rules compare, and an answer of ours is no longer
 * than its question.
 */
#include "../fuzz.h"

#include "lib/util.h"
#include "net/dns.h"

static void check_name(const char *name)
{
        CHECK(strlen(name) <= EGRESS_NAME_MOST);
        CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(name));
        CHECK(*name != '.' && !strstr(name, ".."));
}

static void on_address(struct in_addr address, uint32_t seconds, void *data)
{
        CHECK(seconds <= INT32_MAX);
        ++*(size_t *)data;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        uint8_t reply[DNS_REPLY_MOST];
        struct dns_question question, again;
        size_t count = 0;

        if (dns_question(data, size, false, &question)) {
                size_t length = dns_reply(data, &question, DNS_NO_SUCH_NAME, reply);

                check_name(question.name);
                CHECK(length == question.end && length <= size && length <= sizeof(reply));
                CHECK(dns_question(reply, length, true, &again));
                CHECK(streq(question.name, again.name) && question.type == again.type);
                CHECK(dns_addresses(reply, length, &again, on_address, &count) && count == 0);
        }
        if (dns_question(data, size, true, &question)) {
                check_name(question.name);
                dns_addresses(data, size, &question, on_address, &count);
                CHECK(count <= size / 14);
        }
        return 0;
}
