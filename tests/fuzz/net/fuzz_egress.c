/*
 * Segments of a guest's on two watched connections, in any order, overlapping and repeated, and a receiver with a small window,
 * as libslirp is one: whatever is passed on to it, what it puts together is TLS with the allowed name, or requests to the
 * allowed host alone.
 *
 * An input is a row of segments: which connection (a bit), flags, where it starts (relative to what the receiver wants), how
 * many bytes follow, those bytes.
 */
#include "../fuzz.h"

#include "net/egress.h"

#define NAME       "a.example"
#define FIRST      1000 /* the sequence number of the SYN */
#define WINDOW     300
#define TCP        20
#define TAKEN_MOST 8192

/* What is left of the input. */
struct row {
        const uint8_t *at;
        size_t left;
};

struct receiver {
        uint16_t port;
        bool open, reset;
        uint32_t wanted;
        uint8_t taken[TAKEN_MOST];
        size_t length;
};

static struct egress *egress;
static struct account account;
static struct receiver receivers[2];

static struct in_addr address(uint32_t number)
{
        return (struct in_addr){ .s_addr = htonl(number) };
}

static size_t put_frame(uint8_t *frame, bool back, uint16_t port, uint32_t sequence, uint32_t confirmed, uint8_t flags,
                        const uint8_t *data, size_t length)
{
        uint8_t *ip = frame + PACKET_ETHERNET;
        uint8_t *tcp = ip + PACKET_IPV4_SIZE;
        uint32_t guest = network_default.guest, far = UINT32_C(0x0b16212c);

        memset(frame, 0, PACKET_ETHERNET + PACKET_IPV4_SIZE + TCP);
        packet_put16(frame + 12, PACKET_TYPE_IPV4);
        ip[0] = 0x45;
        packet_put16(ip + 2, (uint16_t)(PACKET_IPV4_SIZE + TCP + length));
        ip[8] = 64;
        ip[9] = IPPROTO_TCP;
        packet_put32(ip + 12, back ? far : guest);
        packet_put32(ip + 16, back ? guest : far);
        packet_put16(ip + 10, packet_checksum(ip, PACKET_IPV4_SIZE, 0));
        packet_put16(tcp, back ? port : 40000);
        packet_put16(tcp + 2, back ? 40000 : port);
        packet_put32(tcp + 4, sequence);
        packet_put32(tcp + 8, confirmed);
        tcp[12] = TCP / 4 << 4;
        tcp[13] = flags;
        if (length > 0)
                memcpy(tcp + TCP, data, length);
        return PACKET_ETHERNET + PACKET_IPV4_SIZE + TCP + length;
}

static void check_stream(const struct receiver *receiver)
{
        char name[EGRESS_NAME_MOST + 1] = "";
        struct http http = { 0 };
        size_t used = 0;

        if (receiver->port == 443) {
                int status = hello_read(receiver->taken, receiver->length, name);

                CHECK(status >= 0 && (status == 0 || streq(name, NAME)));
                return;
        }
        while (used < receiver->length) {
                bool head;
                int64_t count = http_read(&http, receiver->taken + used, receiver->length - used, name, &head);

                CHECK(count >= 0 && (!head || streq(name, NAME)));
                if (count == 0)
                        return;
                used += (size_t)count;
        }
}

/* As a receiver of TCP does: what it has, and what doesn't fit, is thrown away; what is out of order as well. */
static void receive(const uint8_t *frame, size_t length, void *data)
{
        struct packet packet;
        struct receiver *receiver;
        uint32_t start, skip;
        size_t count;
        uint8_t answer[PACKET_ETHERNET + PACKET_IPV4_SIZE + TCP];

        CHECK(packet_parse(frame, length, &packet) == PACKET_IPV4 && packet.protocol == IPPROTO_TCP);
        receiver = &receivers[packet.destination_port == 443];
        start = packet_get32(packet.data + 4);
        if ((packet.tcp_flags & PACKET_TCP_RST) != 0) {
                /* One beyond the window means nothing. */
                receiver->reset |= (int32_t)(start - receiver->wanted) < WINDOW;
                return;
        }
        /* One for a connection that is there is taken for an old one, and what it carries for that connection's. */
        if ((packet.tcp_flags & PACKET_TCP_SYN) != 0) {
                if (!receiver->open || receiver->reset)
                        *receiver = (struct receiver){ .port = receiver->port, .open = true, .wanted = start + 1 };
                start++;
        }
        if (!receiver->open || receiver->reset)
                return;
        skip = receiver->wanted - start;
        count = packet.data_length - TCP;
        if (count > 0 && (int32_t)skip >= 0 && skip < count) {
                count -= skip;
                count = count < WINDOW ? count : WINDOW;
                if (receiver->length + count > TAKEN_MOST)
                        return;
                memcpy(receiver->taken + receiver->length, packet.data + TCP + skip, count);
                receiver->length += count;
                receiver->wanted += (uint32_t)count;
                check_stream(receiver);
        }
        egress_look(egress, answer, put_frame(answer, true, receiver->port, 1, receiver->wanted, PACKET_TCP_ACK, NULL, 0));
}

static const uint8_t *take(struct row *row, size_t count)
{
        const uint8_t *at = row->at;

        row->at += count;
        row->left -= count;
        return at;
}

static void send_segment(struct row *row)
{
        uint8_t head = *take(row, 1);
        struct receiver *receiver = &receivers[head & 1];
        uint8_t flags = (head & 2) != 0    ? PACKET_TCP_SYN
                        : (head & 16) != 0 ? PACKET_TCP_RST
                                           : (uint8_t)(PACKET_TCP_ACK | ((head & 4) != 0 ? PACKET_TCP_FIN : 0));
        int8_t shift = (int8_t)*take(row, 1);
        size_t length = *take(row, 1) * ((head & 8) != 0 ? 4u : 1u);
        uint32_t sequence = (receiver->open ? receiver->wanted : FIRST) + (uint32_t)(int32_t)shift;
        uint8_t frame[PACKET_ETHERNET + PACKET_MTU];
        struct egress_verdict verdict;
        struct packet packet;
        const uint8_t *data;

        length = length < row->left ? length : row->left;
        data = take(row, length);
        CHECK(packet_parse(frame, put_frame(frame, false, receiver->port, sequence, 1, flags, data, length), &packet) ==
              PACKET_IPV4);
        egress_judge(egress, &packet, &verdict);
        if (verdict.action == EGRESS_PASS)
                receive(frame, packet.length, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct row row = { .at = data, .left = size };

        if (!egress)
                egress = xcalloc(1, sizeof(*egress));
        memset(&account, 0, sizeof(account));
        egress_init(egress, &network_default, -1, &account);
        egress->pass = receive;
        CHECK(rules_parse("allow\n" NAME "\nend\n", &egress->rules));
        names_learn(&egress->names, NAME, address(UINT32_C(0x0b16212c)), 3600, 1);
        egress->names.items[0].until = INT64_MAX;
        for (int i = 0; i < 2; i++)
                receivers[i] = (struct receiver){ .port = i ? 443 : 80 };
        while (row.left > 3)
                send_segment(&row);
        egress_clear(egress);
        return 0;
}
