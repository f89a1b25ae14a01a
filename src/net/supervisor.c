#include "net/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/process.h"
#include "net/channel.h"
#include "net/control.h"
#include "net/harden.h"
#include "net/resolver.h"

#define RESTARTS_MOST      10
#define RESTARTS_WITHIN_MS (60 * 1000)

/*
 * A worker completes a round at least once a second. One that has used ROUND_CPU_MOST of processor time since its last round
 * is stuck. One that waits for the processor or the disk of a busy computer is not, and gets longer: ending it would lose all
 * connections.
 */
#define LOOK_MS          1000
#define HELD_LOOK_MS     (10 * 1000) /* nobody waits for a parked VM's network */
#define ROUND_CPU_MOST   15          /* seconds */
#define ROUND_LOOKS_MOST 180         /* for one that sleeps */

struct supervisor {
        struct net_settings *settings;
        struct net_shared *shared;
        struct resolver resolver;
        int signals;                   /* signalfd(2) */
        int64_t deaths[RESTARTS_MOST]; /* by now_ms(), a ring */
        unsigned death_count;
        struct control control;
        int channel;   /* to the worker; -1 = there is none */
        deadline look; /* when the worker and resolv.conf are looked at next */
        bool held;
        uint8_t number;            /* of the hold, or of the last one */
        enum control_word pending; /* what the worker has been told and hasn't done yet */
        bool new_wire;             /* … and it comes with another wire */
};

static void supervisor_clear(struct supervisor *supervisor)
{
        closep(&supervisor->signals);
        closep(&supervisor->channel);
        closep(&supervisor->control.client);
        if (supervisor->shared)
                munmap(supervisor->shared, sizeof(*supervisor->shared));
}

static struct net_shared *map_shared(struct error **err)
{
        void *memory = mmap(NULL, sizeof(struct net_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                            -1, 0);

        if (memory != MAP_FAILED)
                return memory;
        error_errno(err, ERROR_FAILED, "cannot map memory");
        return NULL;
}

static int set_up(struct supervisor *supervisor, struct error **err)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGCHLD);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &signals, NULL);
        supervisor->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (supervisor->signals < 0)
                return error_errno(err, ERROR_FAILED, "cannot wait for signals");
        /* libslirp sends without MSG_NOSIGNAL. */
        signal(SIGPIPE, SIG_IGN);
        if (supervisor->settings->control_fd >= 0 &&
            control_open(&supervisor->control, supervisor->settings->control_fd, err) < 0)
                return -1;
        if (harden_supervisor(supervisor->settings->socket_path, err) < 0)
                return -1;
        log_note(&supervisor->settings->log, "walls: %s", harden_walls());
        supervisor->shared->traffic.moved = now_ms();
        if (supervisor->settings->goes_on)
                account_read(&supervisor->shared->account, supervisor->settings->account_fd);
        return 0;
}

static void look_for_resolver(struct supervisor *supervisor)
{
        struct in_addr address;

        if (resolver_look(&supervisor->resolver, &address))
                __atomic_store_n(&supervisor->shared->resolver.s_addr, address.s_addr, __ATOMIC_RELAXED);
}

static int reap(pid_t pid, int options, int *status)
{
        pid_t found;

        do
                found = waitpid(pid, status, options);
        while (found < 0 && errno == EINTR);
        return found == pid;
}

/* Returns the seconds of processor time that a child has used. */
static int64_t used_cpu(pid_t pid)
{
        struct timespec used;
        clockid_t clock;

        return clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0 ? (int64_t)used.tv_sec : 0;
}

/* What was seen when a worker last completed a round. */
struct last_round {
        uint64_t number;
        int64_t cpu;
        int looks; /* since */
};

static bool is_stuck(const struct supervisor *supervisor, pid_t pid, struct last_round *last)
{
        uint64_t rounds = supervisor->shared->rounds;
        int64_t cpu = used_cpu(pid);

        if (rounds != last->number)
                *last = (struct last_round){ .number = rounds, .cpu = cpu };
        else
                last->looks++;
        return cpu - last->cpu >= ROUND_CPU_MOST || last->looks >= ROUND_LOOKS_MOST;
}

/* --- what `machine` asks for (control.h) */

static void answer(struct supervisor *supervisor, int status)
{
        const struct traffic traffic = traffic_read(&supervisor->shared->traffic);

        control_answer(&supervisor->control, &(struct net_reply){
                                                     .status = (uint32_t)status,
                                                     .held = supervisor->held,
                                                     .near_bytes = traffic.near_bytes,
                                                     .far_bytes = traffic.far_bytes,
                                                     .near_open = traffic.near_open,
                                                     .far_open = traffic.far_open,
                                                     .moved_ms = traffic.moved,
                                             });
}

/* The worker has done it, or has died; then the next one begins that way. */
static void finish(struct supervisor *supervisor)
{
        supervisor->held = supervisor->pending == CONTROL_HOLD;
        supervisor->pending = CONTROL_NONE;
        log_note(&supervisor->settings->log, "%s",
                 supervisor->held       ? "the VM is parked, its connections are held"
                 : supervisor->new_wire ? "the VM goes on, with another QEMU"
                                        : "the VM goes on");
        supervisor->new_wire = false;
        supervisor->look = deadline_in(supervisor->held ? HELD_LOOK_MS : LOOK_MS);
        waker_tell(&supervisor->settings->waker, supervisor->held, supervisor->number);
        answer(supervisor, 0);
}

/* A worker that can't be told has ended, or hangs: it is ended, and finish_for_dead() does the rest. */
static void tell_worker(struct supervisor *supervisor, pid_t pid, enum control_word word, int wire)
{
        const struct channel_message message = {
                .word = word == CONTROL_HOLD ? CHANNEL_HOLD : CHANNEL_GO,
                .number = supervisor->number,
        };

        supervisor->pending = word;
        supervisor->new_wire = wire >= 0;
        if (channel_send(supervisor->channel, &message, wire) < 0)
                kill(pid, SIGKILL);
}

static void begin_hold(struct supervisor *supervisor, pid_t pid)
{
        if (supervisor->held) {
                answer(supervisor, 0);
                return;
        }
        /* 0 is no number: a byte that was never written means nothing. */
        supervisor->number = (uint8_t)(supervisor->number % UINT8_MAX + 1);
        tell_worker(supervisor, pid, CONTROL_HOLD, -1);
}

static void begin_go(struct supervisor *supervisor, pid_t pid, int wire)
{
        if (!supervisor->held) {
                /* The wire that is there belongs to a QEMU whose guest runs. */
                answer(supervisor, wire >= 0 ? EBUSY : 0);
                closep(&wire);
                return;
        }
        if (wire >= 0) {
                closep(&supervisor->settings->frames_fd);
                supervisor->settings->frames_fd = wire;
        }
        /* This computer may be in another network by now. */
        look_for_resolver(supervisor);
        tell_worker(supervisor, pid, CONTROL_GO, wire);
}

static void serve_control(struct supervisor *supervisor, pid_t pid)
{
        int wire;

        switch (control_take(&supervisor->control, &wire)) {
        case CONTROL_NONE:
                break;
        case CONTROL_HOLD:
                begin_hold(supervisor, pid);
                break;
        case CONTROL_GO:
                begin_go(supervisor, pid, wire);
                break;
        case CONTROL_LOOK:
                answer(supervisor, 0);
                break;
        }
}

/* What a worker says counts only as the answer to what it was told. */
static void hear_worker(struct supervisor *supervisor)
{
        struct channel_message message;

        while (channel_receive(supervisor->channel, &message, NULL) > 0)
                if (supervisor->pending != CONTROL_NONE && message.number == supervisor->number &&
                    message.word == (supervisor->pending == CONTROL_HOLD ? CHANNEL_HOLD : CHANNEL_GO))
                        finish(supervisor);
}

/* For a worker that has ended: before it answered, it has neither read nor written anything of a new wire. */
static void finish_for_dead(struct supervisor *supervisor)
{
        if (supervisor->pending == CONTROL_NONE)
                return;
        if (supervisor->new_wire) {
                frames_reset(&supervisor->shared->from_guest);
                frames_reset(&supervisor->shared->to_guest);
        }
        finish(supervisor);
}

/* --- the worker */

/* Returns true when one of the signals tells us to end. */
static bool told_to_end(const struct supervisor *supervisor)
{
        struct signalfd_siginfo info;
        bool end = false;

        while (read(supervisor->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
                end |= info.ssi_signo == SIGINT || info.ssi_signo == SIGTERM;
        return end;
}

/* Our program can't be started again from within our walls. */
static void look_at_waker(struct supervisor *supervisor)
{
        struct waker *waker = &supervisor->settings->waker;
        int status;

        if (waker->pid <= 0 || !reap(waker->pid, WNOHANG, &status))
                return;
        waker->pid = 0;
        log_note(&supervisor->settings->log, "the process that wakes the VM has ended: nothing wakes it by itself any more");
}

static void wait_for_news(const struct supervisor *supervisor)
{
        struct pollfd polled[] = {
                { .fd = supervisor->signals, .events = POLLIN },
                { .fd = supervisor->channel, .events = POLLIN },
                { .fd = supervisor->pending == CONTROL_NONE ? control_fd(&supervisor->control) : -1, .events = POLLIN },
        };
        deadline due = control_due(&supervisor->control);

        (void)poll(polled, ARRAY_SIZE(polled), deadline_left(due < supervisor->look ? due : supervisor->look));
}

/* Waits until the worker ends. Returns true when we were told to end ourselves; the worker has then ended already. */
static bool wait_for_end(struct supervisor *supervisor, pid_t pid, int *status)
{
        struct last_round last = { .number = supervisor->shared->rounds };

        supervisor->look = deadline_in(LOOK_MS);
        for (;;) {
                bool ended;

                wait_for_news(supervisor);
                if (told_to_end(supervisor)) {
                        kill(pid, SIGKILL);
                        reap(pid, 0, status);
                        return true;
                }
                ended = reap(pid, WNOHANG, status);
                /* Also what it said before it ended. */
                hear_worker(supervisor);
                if (ended)
                        return false;
                look_at_waker(supervisor);
                if (supervisor->pending == CONTROL_NONE)
                        serve_control(supervisor, pid);
                if (!deadline_passed(supervisor->look))
                        continue;
                supervisor->look = deadline_in(supervisor->held ? HELD_LOOK_MS : LOOK_MS);
                look_for_resolver(supervisor);
                if (is_stuck(supervisor, pid, &last)) {
                        log_note(&supervisor->settings->log, "the worker hangs");
                        kill(pid, SIGKILL);
                }
        }
}

/* Logs that a worker died. Returns true when another one may start. */
static bool may_restart(struct supervisor *supervisor, int status)
{
        _cleanup_(freep) char *text = process_status_text(status);
        int64_t *oldest = &supervisor->deaths[supervisor->death_count % RESTARTS_MOST];
        int64_t now = now_ms();
        bool often = supervisor->death_count >= RESTARTS_MOST && now - *oldest < RESTARTS_WITHIN_MS;

        *oldest = now;
        supervisor->death_count++;
        log_note(&supervisor->settings->log, "the worker ended because of what the guest sent: %s; %s", text,
                 often ? "too often, the network is down" : "a new one takes over, open connections are lost");
        return !often;
}

static int run_worker(struct supervisor *supervisor, const struct worker_start *start)
{
        struct net_settings *settings = supervisor->settings;
        struct error *error = NULL;
        enum worker_end end = worker_run(settings, supervisor->shared, start, &error);

        if (error) {
                _cleanup_(freep) char *text = error_text(error);

                if (supervisor->shared->ready)
                        log_note(&settings->log, "%s", text);
                else
                        dprintf(settings->ready_fd, "%s\n", text);
        }
        error_free(error);
        return (int)end;
}

/* Returns 1 to start another worker; 0 to end, with *status as the exit status. */
static int look_at_end(struct supervisor *supervisor, int worker_status, int *status)
{
        int end = WIFEXITED(worker_status) ? WEXITSTATUS(worker_status) : -1;

        *status = EXIT_FAILURE;
        if (end == WORKER_GONE) {
                *status = EXIT_SUCCESS;
                return 0;
        }
        if (end == WORKER_OUT_OF_STEP) {
                log_note(&supervisor->settings->log, "what QEMU sent makes no sense; the network is down");
                return 0;
        }
        /* The reader of the ready_fd has been told what failed, or sees it closed without a line. */
        if (!supervisor->shared->ready)
                return 0;
        return may_restart(supervisor, worker_status);
}

/* Returns the pid, 0 in the worker when it has ended, with its exit status in *status, -1 on failure. */
static pid_t start_worker(struct supervisor *supervisor, int *status, struct error **err)
{
        _cleanup_(closep) int channel = -1;
        struct worker_start start = {
                .supervisor = getpid(),
                .held = supervisor->held,
                .number = supervisor->number,
        };
        pid_t pid;

        closep(&supervisor->channel);
        supervisor->channel = -1;
        if (channel_make(&supervisor->channel, &channel, err) < 0)
                return -1;
        start.channel = channel;
        pid = fork();
        if (pid < 0)
                return error_errno(err, ERROR_FAILED, "cannot start a worker");
        if (pid == 0)
                *status = run_worker(supervisor, &start);
        return pid;
}

int supervisor_run(struct net_settings *settings, struct error **err)
{
        _cleanup_(supervisor_clear) struct supervisor supervisor = {
                .settings = settings, .signals = -1, .channel = -1, .control = CONTROL_INIT
        };
        int status = EXIT_FAILURE;

        supervisor.shared = map_shared(err);
        if (!supervisor.shared || set_up(&supervisor, err) < 0)
                return -1;
        for (;;) {
                int worker_status = 0;
                pid_t pid;

                look_for_resolver(&supervisor);
                pid = start_worker(&supervisor, &status, err);
                if (pid <= 0)
                        return pid < 0 ? -1 : status;
                closep(&settings->ready_fd);
                settings->ready_fd = -1;
                if (wait_for_end(&supervisor, pid, &worker_status)) {
                        status = EXIT_SUCCESS;
                        break;
                }
                if (!look_at_end(&supervisor, worker_status, &status))
                        break;
                finish_for_dead(&supervisor);
        }
        if (supervisor.shared->bound)
                (void)unlink(settings->socket_path);
        return status;
}
