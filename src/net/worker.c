#include "net/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "net/conduit.h"
#include "net/egress.h"
#include "net/harden.h"
#include "net/listen.h"
#include "net/policy.h"
#include "net/prove.h"
#include "net/reply.h"
#include "net/route.h"
#include "net/stack.h"

/* Frames that are taken before sockets have their turn. */
#define BATCH 128

/*
 * The limit of descriptors, and how many of them the guest can't have: they are for connections from the host, which take two
 * each (libslirp ends the process when it gets none), and for what one batch opens.
 */
#define DESCRIPTORS          4096
#define DESCRIPTORS_RESERVED 256

#define MAPPED_FROM (64 << 10) /* bytes; larger allocations are mapped by themselves */

/* Bytes of all smaller allocations together, mostly segments that came out of order: libslirp takes 9 KiB for each. */
#define PIECES_MOST ((size_t)64 << 20)
/* A frame keeps at most some 9 KiB, so a guest that sends as fast as it can exceeds the limit by 9 MiB and no more. */
#define LOOK_EVERY 1024

/* libslirp wants to be called once a second, or more often when it says so. */
#define ROUND_MS 1000

struct timer {
        int64_t due; /* by now_ms(); 0 = not set */
        void *opaque;
};

struct worker {
        struct net_settings *settings;
        struct net_shared *shared;
        Slirp *slirp;
        struct route route;
        struct policy policy;
        struct egress *egress;
        unsigned taken; /* frames from the guest */
        int64_t round;  /* by now_ms(): when rules and account had their turn */
        uint16_t *ports;
        unsigned sessions, sessions_most; /* sockets of libslirp's */
        struct timer timers[SLIRP_TIMER_NUM];
        struct pollfd *polled; /* the first is QEMU's */
        size_t polled_count, polled_room;
};

static void worker_clear(struct worker *worker)
{
        if (worker->slirp)
                slirp_cleanup(worker->slirp);
        conduit_close_all();
        if (worker->egress)
                egress_clear(worker->egress);
        free(worker->egress);
        route_close(&worker->route);
        free(worker->ports);
        free(worker->polled);
}

static void send_to_guest(struct worker *worker, const void *frame, size_t length)
{
        struct frames *queue = &worker->shared->to_guest;

        /* When the queue is full, QEMU doesn't read. The frame is lost, as on a busy wire, and TCP sends it again. */
        if (!frames_put(queue, frame, length) && frames_send(queue, worker->settings->frames_fd) == 0)
                (void)frames_put(queue, frame, length);
}

/* What libslirp calls. */

static ssize_t on_packet(const void *frame, size_t length, void *data)
{
        struct worker *worker = data;

        egress_look(worker->egress, frame, length);
        send_to_guest(worker, frame, length);
        return (ssize_t)length;
}

static void on_guest_error(const char *message, void *data)
{
        struct worker *worker = data;

        log_note(&worker->settings->log, "the guest: %s", message);
}

static int64_t on_clock(void *data)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *on_timer_new(SlirpTimerId id, void *opaque, void *data)
{
        struct worker *worker = data;

        worker->timers[id] = (struct timer){ .opaque = opaque };
        return &worker->timers[id];
}

static void on_timer_free(void *timer, void *data)
{
        *(struct timer *)timer = (struct timer){ 0 };
}

static void on_timer_set(void *timer, int64_t due, void *data)
{
        ((struct timer *)timer)->due = due;
}

/* Every socket that libslirp makes or closes is counted here. Which ones to poll is found anew in each round. */
static void on_socket(int fd, void *data)
{
        struct worker *worker = data;

        if (fd >= 0)
                worker->sessions++;
}

static void on_socket_closed(int fd, void *data)
{
        struct worker *worker = data;

        if (fd >= 0 && worker->sessions > 0)
                worker->sessions--;
}

static void on_notify(void *data)
{
}

static const SlirpCb callbacks = {
        .send_packet = on_packet,
        .guest_error = on_guest_error,
        .clock_get_ns = on_clock,
        .timer_free = on_timer_free,
        .timer_mod = on_timer_set,
        .register_poll_fd = on_socket,
        .unregister_poll_fd = on_socket_closed,
        .notify = on_notify,
        .timer_new_opaque = on_timer_new,
};

/* GLib's and libslirp's own messages. After an error GLib aborts. */
static void on_log(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
        struct worker *worker = data;

        log_note(&worker->settings->log, "%s: %s", domain ? domain : "glib", message ? message : "?");
}

/* Set-up. */

static int make_slirp(struct worker *worker, struct error **err)
{
        SlirpConfig config = stack_config(worker->settings->network);

        config.vhostname = worker->settings->hostname;
        g_log_set_default_handler(on_log, worker);
        worker->slirp = slirp_new(&config, &callbacks, worker);
        return worker->slirp ? 0 : error_set(err, ERROR_FAILED, "cannot set up libslirp");
}

static enum policy_route find_route(struct in_addr destination, void *data)
{
        return route_find(data, destination);
}

static int make_policy(struct worker *worker, struct error **err)
{
        const struct net_settings *settings = worker->settings;

        if (route_open(&worker->route, err) < 0)
                return -1;
        worker->ports = xreallocarray(NULL, settings->forward_count + 1, sizeof(*worker->ports));
        worker->ports[0] = NETWORK_PORT_SSH;
        for (size_t i = 0; i < settings->forward_count; i++)
                worker->ports[i + 1] = settings->forwards[i].guest_port;
        worker->policy = (struct policy){
                .network = settings->network,
                .lan = settings->lan,
                .ports = worker->ports,
                .port_count = settings->forward_count + 1,
                .route = find_route,
                .route_data = &worker->route,
        };
        return 0;
}

static bool opens(const struct packet *packet, void *data)
{
        return egress_opens(data, packet->destination, packet->destination_port);
}

static void make_egress(struct worker *worker)
{
        worker->egress = xcalloc(1, sizeof(*worker->egress));
        egress_init(worker->egress, worker->settings->network, worker->settings->rules_fd, &worker->shared->account);
        worker->shared->account.changed = true;
        worker->policy.opens = opens;
        worker->policy.opens_data = worker->egress;
        (void)egress_round(worker->egress);
        conduit_open(&(struct conduit_settings){
                .egress = worker->egress,
                .log = &worker->settings->log,
                .resolver = &worker->shared->resolver,
                .held_most = worker->settings->held_most,
        });
}

static int limit_descriptors(struct worker *worker, struct error **err)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot read the limit of descriptors");
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                return error_errno(err, ERROR_FAILED, "cannot set the limit of descriptors");
        if (limit.rlim_cur <= 2 * DESCRIPTORS_RESERVED)
                return error_set(err, ERROR_FAILED, "the limit of descriptors is too low: %llu",
                                 (unsigned long long)limit.rlim_cur);
        worker->sessions_most = (unsigned)limit.rlim_cur - DESCRIPTORS_RESERVED;
        return 0;
}

/*
 * libslirp has two buffers of 128 KiB for each connection, and most are hardly used. Each is mapped by itself, so that only
 * what is used takes memory, and closing gives it back.
 */
static void save_memory(void)
{
        (void)mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
        (void)prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

/* Makes the worker end with the supervisor: nobody else would end it or replace it. */
static int bind_to_supervisor(pid_t supervisor, struct error **err)
{
        sigset_t none;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_errno(err, ERROR_FAILED, "cannot bind a worker to its supervisor");
        if (getppid() != supervisor)
                return error_set(err, ERROR_FAILED, "the supervisor is gone");
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        return 0;
}

static int say_ready(struct worker *worker, struct error **err)
{
        if (worker->shared->ready)
                return 0;
        /* Set first, so that a death after the "ok" is not taken for a failure of the set-up. */
        worker->shared->ready = true;
        if (write(worker->settings->ready_fd, "ok\n", 3) != 3)
                return error_errno(err, ERROR_FAILED, "cannot say that the network is ready");
        close(worker->settings->ready_fd);
        worker->settings->ready_fd = -1;
        return 0;
}

static int set_up(struct worker *worker, pid_t supervisor, struct error **err)
{
        save_memory();
        if (bind_to_supervisor(supervisor, err) < 0 || limit_descriptors(worker, err) < 0 || prove_calls(err) < 0)
                return -1;
        if (make_slirp(worker, err) < 0)
                return -1;
        if (listen_all(worker->slirp, worker->settings, worker->shared, err) < 0 || make_policy(worker, err) < 0)
                return -1;
        make_egress(worker);
        if (harden_worker(err) < 0)
                return -1;
        return say_ready(worker, err);
}

/* The loop. */

static int add_poll(int fd, int events, void *data)
{
        struct worker *worker = data;
        struct pollfd *entry;

        if (worker->polled_count == worker->polled_room) {
                worker->polled_room = worker->polled_room * 2 + 16;
                worker->polled = xreallocarray(worker->polled, worker->polled_room, sizeof(*worker->polled));
        }
        entry = &worker->polled[worker->polled_count];
        *entry = (struct pollfd){ .fd = fd };
        entry->events |= (events & SLIRP_POLL_IN) ? POLLIN : 0;
        entry->events |= (events & SLIRP_POLL_OUT) ? POLLOUT : 0;
        entry->events |= (events & SLIRP_POLL_PRI) ? POLLPRI : 0;
        return (int)worker->polled_count++;
}

/*
 * libslirp reads from a socket that failed, whether it has room or not, and ends the process when it has none. If it didn't
 * ask to read, it is told that it may write, and finds the same failure.
 */
static int get_revents(int index, void *data)
{
        const struct worker *worker = data;
        const struct pollfd *entry = &worker->polled[index];
        short found = entry->revents;
        int events = 0;

        if ((entry->events & POLLIN) == 0)
                return (found & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)) != 0 ? SLIRP_POLL_OUT : 0;
        events |= (found & POLLIN) ? SLIRP_POLL_IN : 0;
        events |= (found & POLLOUT) ? SLIRP_POLL_OUT : 0;
        events |= (found & POLLPRI) ? SLIRP_POLL_PRI : 0;
        events |= (found & (POLLERR | POLLNVAL)) ? SLIRP_POLL_ERR : 0;
        events |= (found & POLLHUP) ? SLIRP_POLL_HUP : 0;
        return events;
}

static void add_waiting(int fd, void *data)
{
        (void)add_poll(fd, SLIRP_POLL_OUT, data);
}

static void run_timers(struct worker *worker)
{
        int64_t now = now_ms();

        for (int id = 0; id < SLIRP_TIMER_NUM; id++) {
                struct timer *timer = &worker->timers[id];

                if (timer->due == 0 || timer->due > now)
                        continue;
                timer->due = 0;
                slirp_handle_timer(worker->slirp, (SlirpTimerId)id, timer->opaque);
        }
}

static void answer_refusal(struct worker *worker, const struct packet *packet)
{
        uint8_t reply[REPLY_SIZE];
        size_t length = reply_refusal(worker->settings->network, packet, reply);

        if (length > 0)
                send_to_guest(worker, reply, length);
}

/* Gives the packet to libslirp, which may connect and send for this frame only (conduit.h). */
static void pass(struct worker *worker, const struct packet *packet)
{
        conduit_frame(packet);
        slirp_input(worker->slirp, packet->frame, (int)packet->length);
        if (conduit_refused())
                answer_refusal(worker, packet);
        conduit_frame(NULL);
}

static void ask_rules(struct worker *worker, const struct packet *packet)
{
        const struct target target = packet_target(packet);
        struct egress_verdict verdict;

        egress_judge(worker->egress, packet, &verdict);
        if (verdict.reason)
                log_egress(&worker->settings->log, &target, verdict.name, verdict.reason);
        switch (verdict.action) {
        case EGRESS_PASS:
                pass(worker, packet);
                break;
        case EGRESS_REFUSE:
                answer_refusal(worker, packet);
                break;
        case EGRESS_ANSWER:
                send_to_guest(worker, verdict.answer, verdict.answer_length);
                break;
        }
}

static void take_frame(struct worker *worker, const uint8_t *frame, size_t length)
{
        struct policy_verdict verdict;

        worker->policy.full = worker->sessions >= worker->sessions_most;
        policy_judge(&worker->policy, frame, length, &verdict);
        if (verdict.action == POLICY_PASS) {
                if (verdict.packet.ip)
                        ask_rules(worker, &verdict.packet);
                else
                        pass(worker, &verdict.packet);
                return;
        }
        if (verdict.reason) {
                const struct target target = packet_target(&verdict.packet);

                log_refused(&worker->settings->log, &verdict.packet, verdict.reason);
                egress_refused(worker->egress, &target, "", verdict.reason);
        }
        if (verdict.action == POLICY_REFUSE)
                answer_refusal(worker, &verdict.packet);
}

/* Cuts the guest's connections when what came out of order takes too much memory: it is freed with its connection. */
static void limit_memory(struct worker *worker)
{
        struct mallinfo2 memory = mallinfo2();

        if (memory.uordblks <= PIECES_MOST)
                return;
        log_note(&worker->settings->log, "what the guest sent out of order takes %zu MiB: its connections are cut",
                 memory.uordblks >> 20);
        conduit_cut_all();
}

/* Does its work once a second. */
static void do_round(struct worker *worker)
{
        int64_t now = now_ms();

        if (now - worker->round < ROUND_MS)
                return;
        worker->round = now;
        if (egress_round(worker->egress))
                conduit_judge_again();
        limit_memory(worker);
        account_write(&worker->shared->account, worker->settings->account_fd);
}

/* Returns 1 when there may be more at once, 0 when that was all for now, -1 at the end, with the reason in *end. */
static int take_frames(struct worker *worker, enum worker_end *end)
{
        struct frames *queue = &worker->shared->from_guest;
        const uint8_t *frame;
        size_t length;

        for (int i = 0; i < BATCH; i++) {
                int found = frames_next(queue, &frame, &length);

                if (found < 0) {
                        *end = WORKER_OUT_OF_STEP;
                        return -1;
                }
                if (found == 0) {
                        ssize_t count = frames_receive(queue, worker->settings->frames_fd);

                        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
                                return 0;
                        if (count <= 0) {
                                *end = WORKER_GONE;
                                return -1;
                        }
                        continue;
                }
                take_frame(worker, frame, length);
                if (++worker->taken % LOOK_EVERY == 0)
                        limit_memory(worker);
        }
        return 1;
}

static int wait_for_work(struct worker *worker, bool at_once, struct error **err)
{
        uint32_t timeout = ROUND_MS;
        int count;

        worker->polled_count = 0;
        (void)add_poll(worker->settings->frames_fd, SLIRP_POLL_IN, worker);
        if (frames_waiting(&worker->shared->to_guest))
                worker->polled[0].events |= POLLOUT;
        slirp_pollfds_fill(worker->slirp, &timeout, add_poll, worker);
        conduit_add_polls(add_waiting, worker);
        count = poll(worker->polled, worker->polled_count, at_once ? 0 : (int)timeout);
        if (count < 0 && errno != EINTR)
                return error_errno(err, ERROR_FAILED, "cannot wait for the network");
        conduit_flush();
        slirp_pollfds_poll(worker->slirp, count < 0, get_revents, worker);
        return 0;
}

static enum worker_end work(struct worker *worker, struct error **err)
{
        struct frames *to_guest = &worker->shared->to_guest;
        enum worker_end end;
        int more = 1;

        for (;;) {
                if (wait_for_work(worker, more > 0, err) < 0)
                        return WORKER_FAILED;
                run_timers(worker);
                do_round(worker);
                more = take_frames(worker, &end);
                if (more < 0)
                        return end;
                if (frames_send(to_guest, worker->settings->frames_fd) < 0)
                        return WORKER_GONE;
                worker->shared->rounds++;
        }
}

enum worker_end worker_run(struct net_settings *settings, struct net_shared *shared, pid_t supervisor, struct error **err)
{
        _cleanup_(worker_clear) struct worker worker = { .settings = settings, .shared = shared, .route = ROUTE_INIT };

        if (!frames_sane(&shared->from_guest) || !frames_sane(&shared->to_guest))
                return WORKER_OUT_OF_STEP;
        if (set_up(&worker, supervisor, err) < 0)
                return WORKER_FAILED;
        return work(&worker, err);
}
