/*
 * Frames that the policy passes, given to libslirp. It is `restricted` here, so that nothing in an input ever leaves this
 * computer. That tests ARP, DHCP, and what libslirp does before it would make a connection.
 */
#include "../fuzz.h"

#include <arpa/inet.h>
#include <slirp/libslirp.h>

#include "input.h"
#include "net/network.h"
#include "net/policy.h"

static int64_t now;

static ssize_t on_packet(const void *frame, size_t length, void *data)
{
        return (ssize_t)length;
}

static void on_guest_error(const char *message, void *data)
{
}

static int64_t on_clock(void *data)
{
        return now += 50 * 1000000;
}

static void on_socket(int fd, void *data)
{
        /* libslirp is restricted and has no forwards, so it makes no socket. */
        abort();
}

static void on_notify(void *data)
{
}

static int add_poll(int fd, int events, void *data)
{
        abort();
}

static int get_revents(int index, void *data)
{
        abort();
}

static const SlirpCb callbacks = {
        .send_packet = on_packet,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .register_poll_fd = on_socket,
        .unregister_poll_fd = on_socket,
        .notify = on_notify,
};

static enum policy_route find_route(struct in_addr destination, void *data)
{
        return POLICY_ROUTE_OUT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const uint16_t ports[] = { 22 };
        const struct policy policy = {
                .network = &network_default, .lan = true, .ports = ports, .port_count = 1, .route = find_route
        };
        const SlirpConfig config = {
                .version = 1,
                .restricted = true,
                .in_enabled = true,
                .vnetwork.s_addr = htonl(network_default.address),
                .vnetmask.s_addr = htonl(NETWORK_MASK),
                .vhost.s_addr = htonl(network_default.gateway),
                .vdhcp_start.s_addr = htonl(network_default.guest),
                .vnameserver.s_addr = htonl(network_default.dns),
                .vhostname = "guest",
                .disable_host_loopback = true,
        };
        Slirp *slirp;
        uint8_t *frame;
        size_t length;

        if (size == 0)
                return 0;
        slirp = slirp_new(&config, &callbacks, NULL);
        data++;
        size--;
        while ((frame = input_next(&data, &size, &length))) {
                struct policy_verdict verdict;
                uint32_t timeout = 0;

                input_mend(frame, length);
                policy_judge(&policy, frame, length, &verdict);
                if (verdict.action == POLICY_PASS)
                        slirp_input(slirp, frame, (int)length);
                free(frame);
                slirp_pollfds_fill(slirp, &timeout, add_poll, NULL);
                slirp_pollfds_poll(slirp, 0, get_revents, NULL);
        }
        slirp_cleanup(slirp);
        return 0;
}
