#include "net/dns.h"

#include "net/packet.h"

#define FLAG_ANSWER     0x8000
#define FLAGS_OPERATION 0x7800
#define FLAG_WANTED     0x0100 /* recursion desired */
#define FLAG_AVAILABLE  0x0080
#define FLAGS_CODE      0x000f

#define CLASS_INTERNET 1
#define RECORD_FIXED   10 /* type, class, ttl, length */
#define RECORDS_MOST   512

/* Reads a name without pointers, as questions have it. Returns the offset after it; 0 = malformed. */
static size_t read_name(const uint8_t *message, size_t length, size_t at, char *name)
{
        char text[256];
        size_t used = 0;

        while (at < length && message[at] != 0) {
                size_t label = message[at];

                if (label > 63 || at + 1 + label >= length || used + label + 1 >= sizeof(text))
                        return 0;
                /* A dot inside a label would be taken for the label's end. */
                if (memchr(message + at + 1, '.', label))
                        return 0;
                memcpy(text + used, message + at + 1, label);
                used += label;
                text[used++] = '.';
                at += 1 + label;
        }
        if (at >= length)
                return 0;
        if (!egress_name(text, used, name))
                *name = '\0';
        return at + 1;
}

/* Returns the offset after a name that may end in a pointer, which isn't followed; 0 = malformed. */
static size_t skip_name(const uint8_t *message, size_t length, size_t at)
{
        while (at < length) {
                size_t label = message[at];

                if (label == 0)
                        return at + 1;
                if (label >= 0xc0)
                        return at + 2;
                if (label > 63)
                        return 0;
                at += 1 + label;
        }
        return 0;
}

bool dns_question(const uint8_t *message, size_t length, bool answer, struct dns_question *out)
{
        uint16_t flags;
        size_t end;

        if (length < DNS_HEADER)
                return false;
        flags = packet_get16(message + 2);
        if (((flags & FLAG_ANSWER) != 0) != answer || (flags & FLAGS_OPERATION) != 0 || packet_get16(message + 4) != 1)
                return false;
        end = read_name(message, length, DNS_HEADER, out->name);
        if (end == 0 || end + 4 > length || packet_get16(message + end + 2) != CLASS_INTERNET)
                return false;
        out->type = packet_get16(message + end);
        out->end = end + 4;
        return true;
}

size_t dns_reply(const uint8_t *message, const struct dns_question *question, uint8_t code, uint8_t out[static DNS_REPLY_MOST])
{
        uint16_t flags = packet_get16(message + 2);

        memcpy(out, message, question->end);
        packet_put16(out + 2, (uint16_t)(FLAG_ANSWER | (flags & FLAG_WANTED) | FLAG_AVAILABLE | code));
        memset(out + 6, 0, DNS_HEADER - 6);
        return question->end;
}

bool dns_addresses(const uint8_t *message, size_t length, const struct dns_question *question,
                   void (*found)(struct in_addr address, uint32_t seconds, void *data), void *data)
{
        uint16_t count = packet_get16(message + 6);
        size_t at = question->end;
        uint32_t shortest = UINT32_MAX;

        if ((packet_get16(message + 2) & FLAGS_CODE) != DNS_NO_ERROR || count > RECORDS_MOST)
                return count <= RECORDS_MOST;
        for (uint16_t i = 0; i < count; i++) {
                uint16_t type, size;
                uint32_t seconds;

                at = skip_name(message, length, at);
                if (at == 0 || at + RECORD_FIXED > length)
                        return false;
                type = packet_get16(message + at);
                seconds = packet_get32(message + at + 4);
                size = packet_get16(message + at + 8);
                at += RECORD_FIXED;
                if (at + size > length)
                        return false;
                /* An alias on the way may expire before the address does (RFC 2181, 8: the highest bit means 0). */
                seconds = seconds > INT32_MAX ? 0 : seconds;
                shortest = seconds < shortest ? seconds : shortest;
                if (type == DNS_TYPE_A && size == 4)
                        found((struct in_addr){ .s_addr = htonl(packet_get32(message + at)) }, shortest, data);
                at += size;
        }
        return true;
}
