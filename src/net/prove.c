#include "net/prove.h"

#include <slirp/libslirp.h>

#include "net/calls.h"
#include "net/network.h"
#include "net/packet.h"
#include "net/stack.h"

#define TCP_SIZE   20
#define UDP_SIZE   8
#define ARP_SIZE   28
#define FRAME_MOST 128
#define OWN_PORT   1024
#define FAR_PORT   443
#define FIRST      1 /* sequence number of the SYN */

/* An address for documentation (RFC 5737); nothing goes there. */
#define FAR UINT32_C(0xc0000201)

static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

struct trial {
        Slirp *slirp;
        uint32_t acknowledgement; /* 0 = libslirp has not taken the connection yet */
        int events;               /* what poll reports for each socket */
};

static ssize_t on_packet(const void *frame, size_t length, void *data)
{
        struct trial *trial = data;
        struct packet packet;

        if (packet_parse(frame, length, &packet) == PACKET_IPV4 && packet.protocol == IPPROTO_TCP &&
            (packet.tcp_flags & PACKET_TCP_SYN) != 0)
                trial->acknowledgement = packet_get32(packet.data + 4) + 1;
        return (ssize_t)length;
}

static void on_guest_error(const char *message, void *data)
{
}

static int64_t on_clock(void *data)
{
        return 0;
}

static void on_socket(int fd, void *data)
{
}

static void on_notify(void *data)
{
}

static const SlirpCb callbacks = {
        .send_packet = on_packet,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .register_poll_fd = on_socket,
        .unregister_poll_fd = on_socket,
        .notify = on_notify,
};

static int add_poll(int fd, int events, void *data)
{
        return 0;
}

static int get_revents(int index, void *data)
{
        return ((struct trial *)data)->events;
}

static void poll_once(struct trial *trial, int events)
{
        uint32_t timeout = 0;

        trial->events = events;
        slirp_pollfds_fill(trial->slirp, &timeout, add_poll, trial);
        slirp_pollfds_poll(trial->slirp, 0, get_revents, trial);
}

/* `length` is in bytes, without the Ethernet header. */
static void give(struct trial *trial, uint8_t *frame, uint16_t type, size_t length)
{
        memset(frame, 0xff, 6);
        memcpy(frame + 6, mac, sizeof(mac));
        packet_put16(frame + 12, type);
        slirp_input(trial->slirp, frame, (int)(PACKET_ETHERNET + length));
}

/* libslirp answers only guests that its ARP table has. */
static void give_arp(struct trial *trial)
{
        uint8_t frame[FRAME_MOST] = { 0 };
        uint8_t *arp = frame + PACKET_ETHERNET;

        packet_put16(arp, 1);
        packet_put16(arp + 2, PACKET_TYPE_IPV4);
        arp[4] = 6;
        arp[5] = 4;
        packet_put16(arp + 6, 1);
        memcpy(arp + 8, mac, sizeof(mac));
        packet_put32(arp + 14, network_default.guest);
        packet_put32(arp + 24, network_default.guest);
        give(trial, frame, PACKET_TYPE_ARP, ARP_SIZE);
}

static void give_ipv4(struct trial *trial, uint8_t *frame, uint8_t protocol, size_t length)
{
        uint8_t *ip = frame + PACKET_ETHERNET;

        ip[0] = 4 << 4 | PACKET_IPV4_SIZE / 4;
        packet_put16(ip + 2, (uint16_t)(PACKET_IPV4_SIZE + length));
        ip[8] = 64;
        ip[9] = protocol;
        packet_put32(ip + 12, network_default.guest);
        packet_put32(ip + 16, FAR);
        packet_put16(ip + 10, packet_checksum(ip, PACKET_IPV4_SIZE, 0));
        give(trial, frame, PACKET_TYPE_IPV4, PACKET_IPV4_SIZE + length);
}

/* A segment that carries `length` zero bytes, `at` bytes into the stream. */
static void give_tcp(struct trial *trial, uint32_t at, uint8_t flags, size_t length)
{
        const struct in_addr guest = { .s_addr = htonl(network_default.guest) };
        const struct in_addr far = { .s_addr = htonl(FAR) };
        uint8_t frame[FRAME_MOST] = { 0 };
        uint8_t *tcp = frame + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        packet_put16(tcp, OWN_PORT);
        packet_put16(tcp + 2, FAR_PORT);
        packet_put32(tcp + 4, FIRST + at);
        packet_put32(tcp + 8, trial->acknowledgement);
        tcp[12] = TCP_SIZE / 4 << 4;
        tcp[13] = flags;
        packet_put16(tcp + 14, UINT16_MAX);
        packet_put16(tcp + 16,
                     packet_checksum(tcp, TCP_SIZE + length, packet_pseudo_sum(guest, far, IPPROTO_TCP, TCP_SIZE + length)));
        give_ipv4(trial, frame, IPPROTO_TCP, TCP_SIZE + length);
}

static void give_udp(struct trial *trial)
{
        uint8_t frame[FRAME_MOST] = { 0 };
        uint8_t *udp = frame + PACKET_ETHERNET + PACKET_IPV4_SIZE;

        packet_put16(udp, OWN_PORT);
        packet_put16(udp + 2, FAR_PORT);
        packet_put16(udp + 4, UDP_SIZE);
        give_ipv4(trial, frame, IPPROTO_UDP, UDP_SIZE);
}

static void try_all(struct trial *trial)
{
        give_arp(trial);
        give_tcp(trial, 0, PACKET_TCP_SYN, 0);
        poll_once(trial, SLIRP_POLL_OUT);
        give_tcp(trial, 1, PACKET_TCP_ACK, 0);
        give_tcp(trial, 1, PACKET_TCP_ACK, 1);
        poll_once(trial, SLIRP_POLL_IN);
        give_tcp(trial, 2, PACKET_TCP_ACK | PACKET_TCP_FIN, 0);
        give_udp(trial);
}

int prove_calls(struct error **err)
{
        const SlirpConfig config = stack_config(&network_default);
        struct calls_seen seen = { 0 };
        struct trial trial = { 0 };

        calls_note(&seen);
        trial.slirp = slirp_new(&config, &callbacks, &trial);
        if (trial.slirp) {
                try_all(&trial);
                slirp_cleanup(trial.slirp);
        }
        calls_note(NULL);
        if (seen.connect && seen.send && seen.send_to && seen.receive && seen.shutdown && seen.close)
                return 0;
        return error_set(err, ERROR_FAILED,
                         "this libslirp (%s) does not reach the network through machine-net, which could not hold it back then",
                         slirp_version_string());
}
