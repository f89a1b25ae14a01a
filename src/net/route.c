#include "net/route.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "net/kernel.h"

#define KEPT_MS 1000

int route_open(struct route *route, struct error **err)
{
        struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
        _cleanup_(closep) int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

        if (fd < 0 || kernel_connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
                return error_errno(err, ERROR_FAILED, "cannot ask the kernel for routes");
        *route = (struct route){ .fd = TAKE_FD(fd) };
        return 0;
}

void route_close(struct route *route)
{
        closep(&route->fd);
        route->fd = -1;
}

static bool ask(struct route *route, struct in_addr destination)
{
        struct {
                struct nlmsghdr header;
                struct rtmsg message;
                struct rtattr attribute;
                struct in_addr destination;
        } request = {
                .header = {
                        .nlmsg_len = sizeof(request),
                        .nlmsg_type = RTM_GETROUTE,
                        .nlmsg_flags = NLM_F_REQUEST,
                        .nlmsg_seq = ++route->sequence,
                },
                .message = { .rtm_family = AF_INET, .rtm_dst_len = 32 },
                .attribute = { .rta_len = RTA_LENGTH(sizeof(destination)), .rta_type = RTA_DST },
                .destination = destination,
        };

        return kernel_send(route->fd, &request, sizeof(request), MSG_DONTWAIT) == (ssize_t)sizeof(request);
}

/* There is no route, or one that prohibits: connect(2) will fail for the same reason, with a better message. */
static bool is_no_route(const struct nlmsghdr *header)
{
        int error;

        if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
                return false;
        error = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
        return error == ENETUNREACH || error == EHOSTUNREACH || error == EACCES;
}

/* The kernel answers within the system call that asks, so there is nothing to wait for. */
static enum policy_route read_answer(struct route *route)
{
        union {
                struct nlmsghdr header;
                uint8_t bytes[4096];
        } answer;

        for (;;) {
                struct sockaddr_nl from = { 0 };
                socklen_t from_length = sizeof(from);
                ssize_t count = kernel_receive_from(route->fd, &answer, sizeof(answer), MSG_DONTWAIT, (struct sockaddr *)&from,
                                                    &from_length);
                const struct nlmsghdr *header = &answer.header;

                if (count < 0 && errno == EINTR)
                        continue;
                if (count < (ssize_t)sizeof(*header))
                        return POLICY_ROUTE_HOST;
                /* Anybody may write to a netlink socket, and the answer to a question that was given up may still be there. */
                if (from.nl_pid != 0 || header->nlmsg_seq != route->sequence)
                        continue;
                if (header->nlmsg_type == NLMSG_ERROR)
                        return is_no_route(header) ? POLICY_ROUTE_OUT : POLICY_ROUTE_HOST;
                if (header->nlmsg_type != RTM_NEWROUTE || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
                        return POLICY_ROUTE_HOST;
                switch (((const struct rtmsg *)NLMSG_DATA(header))->rtm_type) {
                case RTN_LOCAL:
                        return POLICY_ROUTE_HOST;
                case RTN_BROADCAST:
                case RTN_ANYCAST:
                case RTN_MULTICAST:
                        return POLICY_ROUTE_BROADCAST;
                default:
                        return POLICY_ROUTE_OUT;
                }
        }
}

enum policy_route route_find(struct route *route, struct in_addr destination)
{
        struct route_answer *kept = &route->kept[(ntohl(destination.s_addr) * 2654435761u >> 16) % ROUTE_KEPT];
        int64_t now = now_ms();

        if (kept->until > now && kept->destination.s_addr == destination.s_addr)
                return kept->route;
        *kept = (struct route_answer){
                .destination = destination,
                .route = ask(route, destination) ? read_answer(route) : POLICY_ROUTE_HOST,
                .until = now + KEPT_MS,
        };
        return kept->route;
}
