#include "net/worker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "net/channel.h"
#include "net/clock.h"
#include "net/conduit.h"
#include "net/egress.h"
#include "net/harden.h"
#include "net/hold.h"
#include "net/listen.h"
#include "net/policy.h"
#include "net/polls.h"
#include "net/process-limits.h"
#include "net/prove.h"
#include "net/reply.h"
#include "net/route.h"
#include "net/stack.h"

/* Frames that are taken before sockets have their turn. */
#define BATCH 128

/* Bytes of all smaller allocations together, mostly segments that came out of order: libslirp takes 9 KiB for each. */
#define PIECES_MOST ((size_t)64 << 20)
/* A frame keeps at most some 9 KiB, so a guest that sends as fast as it can exceeds the limit by 9 MiB and no more. */
#define LOOK_EVERY 1024

/* libslirp wants to be called once a second, or more often when it says so. */
#define ROUND_MS 1000

/* Batches that QEMU may have left on the wire of a VM that is parked: all that a socket holds. More than that isn't waited for.
 */
#define LEFT_MOST 1024

struct timer {
        int64_t due; /* in ms of `clock`; 0 = not set */
        void *opaque;
};

struct worker {
        struct net_settings *settings;
        struct net_shared *shared;
        const struct worker_start *start;
        Slirp *slirp;
        struct clock clock; /* libslirp's */
        bool held;
        uint32_t hold; /* its number */
        struct route route;
        struct policy policy;
        struct egress *egress;
        unsigned taken; /* frames from the guest */
        int64_t round;  /* by now_ms(): when rules and account had their turn */
        uint16_t *ports;
        unsigned sessions, sessions_most; /* sockets of libslirp's */
        struct timer timers[SLIRP_TIMER_NUM];
        struct polls polled; /* QEMU's, the channel's, then libslirp's */
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
        polls_clear(&worker->polled);
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
        const struct worker *worker = data;

        return clock_read(&worker->clock, clock_now());
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
                .traffic = &worker->shared->traffic,
        });
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

/* The supervisor has its signals blocked, and has descriptors that are not for a worker. */
static int leave_supervisor(const struct worker *worker, struct error **err)
{
        const struct net_settings *settings = worker->settings;
        const int keep[] = { settings->frames_fd,  settings->ready_fd,        settings->log.old_fd,  settings->rules_fd,
                             settings->account_fd, settings->waker.number_fd, worker->start->channel };
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        return harden_close_others(keep, ARRAY_SIZE(keep), err);
}

static int set_up(struct worker *worker, struct error **err)
{
        limits_memory();
        if (limits_end_with(worker->start->supervisor, err) < 0 || leave_supervisor(worker, err) < 0 ||
            limits_descriptors(&worker->sessions_most, err) < 0 || prove_calls(err) < 0)
                return -1;
        if (make_slirp(worker, err) < 0 || make_policy(worker, err) < 0)
                return -1;
        make_egress(worker);
        if (listen_all(worker->slirp, worker->settings, worker->shared, err) < 0 || harden_worker(err) < 0)
                return -1;
        return say_ready(worker, err);
}

/* The loop. */

static int add_poll(int fd, int events, void *data)
{
        struct worker *worker = data;
        int wanted = 0;

        wanted |= (events & SLIRP_POLL_IN) ? POLLIN : 0;
        wanted |= (events & SLIRP_POLL_OUT) ? POLLOUT : 0;
        wanted |= (events & SLIRP_POLL_PRI) ? POLLPRI : 0;
        return (int)polls_add(&worker->polled, fd, (short)wanted);
}

/*
 * libslirp reads from a socket that failed, whether it has room or not, and ends the process when it has none. If it didn't
 * ask to read, it is told that it may write, and finds the same failure.
 */
static int get_revents(int index, void *data)
{
        const struct worker *worker = data;
        const struct pollfd *entry = &worker->polled.items[index];
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
        int64_t now = on_clock(worker) / 1000000;

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

/* --- while the VM is parked */

/* Takes what QEMU had written before its guest stopped. That the wire has ended means nothing here. */
static void take_what_is_left(struct worker *worker)
{
        enum worker_end end;

        for (int i = 0; i < LEFT_MOST && take_frames(worker, &end) > 0; i++)
                (void)frames_send(&worker->shared->to_guest, worker->settings->frames_fd);
        (void)frames_send(&worker->shared->to_guest, worker->settings->frames_fd);
}

static void stand_still(struct worker *worker, uint32_t number)
{
        clock_stop(&worker->clock, clock_now());
        worker->held = true;
        worker->hold = number;
        account_write(&worker->shared->account, worker->settings->account_fd);
}

/* Nothing of the old wire goes over the new one: what was lost, TCP sends again. */
static void take_wire(struct worker *worker, int wire)
{
        closep(&worker->settings->frames_fd);
        worker->settings->frames_fd = wire;
        frames_reset(&worker->shared->from_guest);
        frames_reset(&worker->shared->to_guest);
}

static void go_on(struct worker *worker, int wire)
{
        if (wire >= 0)
                take_wire(worker, wire);
        names_stood_still(&worker->egress->names, clock_go_on(&worker->clock, clock_now()) / 1000000);
        worker->held = false;
}

/* Does what the supervisor says, if it has said anything. Fails when it is gone. */
static int obey(struct worker *worker, struct error **err)
{
        struct channel_message message;
        int wire = -1;
        int found = channel_receive(worker->start->channel, &message, &wire);

        if (found > 0 && message.word == CHANNEL_HOLD && !worker->held) {
                take_what_is_left(worker);
                stand_still(worker, message.number);
        } else if (found > 0 && message.word == CHANNEL_GO && worker->held) {
                go_on(worker, TAKE_FD(wire));
        }
        closep(&wire);
        if (found < 0 || (found > 0 && channel_send(worker->start->channel, &message, -1) < 0))
                return error_set(err, ERROR_FAILED, "the worker has lost its supervisor");
        return 0;
}

/* Returns when the VM goes on. */
static int stay_held(struct worker *worker, struct error **err)
{
        const struct hold_settings settings = {
                .channel = worker->start->channel,
                .wake_fd = worker->settings->waker.number_fd,
                .any = worker->settings->wake_on_any,
                .number = (uint8_t)worker->hold,
        };
        char *info = slirp_connection_info(worker->slirp);
        struct hold hold;
        bool told;
        int status = 0;

        hold_begin(&hold, &settings, info);
        g_free(info);
        while (status == 0 && worker->held) {
                status = hold_wait(&hold, ROUND_MS, &told, err);
                do_round(worker);
                worker->shared->rounds++;
                if (status == 0 && told)
                        status = obey(worker, err);
        }
        hold_end(&hold);
        return status;
}

/* --- the loop */

static int wait_for_work(struct worker *worker, bool at_once, bool *told, struct error **err)
{
        uint32_t timeout = ROUND_MS;
        size_t channel;
        int count;

        worker->polled.count = 0;
        (void)polls_add(&worker->polled, worker->settings->frames_fd,
                        frames_waiting(&worker->shared->to_guest) ? POLLIN | POLLOUT : POLLIN);
        channel = polls_add(&worker->polled, worker->start->channel, POLLIN);
        slirp_pollfds_fill(worker->slirp, &timeout, add_poll, worker);
        conduit_add_polls(add_waiting, worker);
        count = poll(worker->polled.items, worker->polled.count, at_once ? 0 : (int)timeout);
        if (count < 0 && errno != EINTR)
                return error_errno(err, ERROR_FAILED, "cannot wait for the network");
        *told = count > 0 && worker->polled.items[channel].revents != 0;
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
                bool told = false;

                if (worker->held && stay_held(worker, err) < 0)
                        return WORKER_FAILED;
                if (wait_for_work(worker, more > 0, &told, err) < 0)
                        return WORKER_FAILED;
                run_timers(worker);
                do_round(worker);
                /* Before the wire is looked at: once the VM is parked, its end is not ours. */
                if (told && obey(worker, err) < 0)
                        return WORKER_FAILED;
                if (worker->held)
                        continue;
                more = take_frames(worker, &end);
                if (more < 0)
                        return end;
                if (frames_send(to_guest, worker->settings->frames_fd) < 0)
                        return WORKER_GONE;
                worker->shared->rounds++;
        }
}

enum worker_end worker_run(struct net_settings *settings, struct net_shared *shared, const struct worker_start *start,
                           struct error **err)
{
        _cleanup_(worker_clear) struct worker worker = {
                .settings = settings, .shared = shared, .start = start, .route = ROUTE_INIT
        };

        if (!frames_sane(&shared->from_guest) || !frames_sane(&shared->to_guest))
                return WORKER_OUT_OF_STEP;
        if (set_up(&worker, err) < 0)
                return WORKER_FAILED;
        if (start->held)
                stand_still(&worker, start->number);
        return work(&worker, err);
}
