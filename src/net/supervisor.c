#include "net/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/deadline.h"
#include "lib/process.h"
#include "net/harden.h"
#include "net/resolver.h"

#define RESTARTS_MOST      10
#define RESTARTS_WITHIN_MS (60 * 1000)

/*
 * A worker completes a round at least once a second. One that has used ROUND_CPU_MOST of processor time since its last round
 * is stuck. One that waits for the processor or the disk of a busy computer is not, and gets longer: ending it would lose all
 * connections.
 */
#define LOOK_SECONDS     1
#define ROUND_CPU_MOST   15  /* seconds */
#define ROUND_LOOKS_MOST 180 /* for one that sleeps */

struct supervisor {
        struct net_settings *settings;
        struct net_shared *shared;
        struct resolver resolver;
        sigset_t signals;
        int64_t deaths[RESTARTS_MOST]; /* by now_ms(), a ring */
        unsigned death_count;
};

static void supervisor_clear(struct supervisor *supervisor)
{
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
        sigemptyset(&supervisor->signals);
        sigaddset(&supervisor->signals, SIGCHLD);
        sigaddset(&supervisor->signals, SIGINT);
        sigaddset(&supervisor->signals, SIGTERM);
        sigprocmask(SIG_BLOCK, &supervisor->signals, NULL);
        /* libslirp sends without MSG_NOSIGNAL. */
        signal(SIGPIPE, SIG_IGN);
        if (harden_supervisor(supervisor->settings->socket_path, err) < 0)
                return -1;
        log_note(&supervisor->settings->log, "walls: %s", harden_walls());
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

/* Waits until the worker ends. Returns true when we were told to end ourselves; the worker has then ended already. */
static bool wait_for_end(struct supervisor *supervisor, pid_t pid, int *status)
{
        const struct timespec look = { .tv_sec = LOOK_SECONDS };
        struct last_round last = { .number = supervisor->shared->rounds };

        for (;;) {
                int number = sigtimedwait(&supervisor->signals, NULL, &look);

                if (number == SIGINT || number == SIGTERM) {
                        kill(pid, SIGKILL);
                        reap(pid, 0, status);
                        return true;
                }
                if (reap(pid, WNOHANG, status))
                        return false;
                if (number >= 0 || errno != EAGAIN)
                        continue;
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

static int run_worker(struct supervisor *supervisor, pid_t parent)
{
        struct net_settings *settings = supervisor->settings;
        struct error *error = NULL;
        enum worker_end end = worker_run(settings, supervisor->shared, parent, &error);

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

int supervisor_run(struct net_settings *settings, struct error **err)
{
        _cleanup_(supervisor_clear) struct supervisor supervisor = { .settings = settings };
        pid_t self = getpid();
        int status = EXIT_FAILURE;

        supervisor.shared = map_shared(err);
        if (!supervisor.shared || set_up(&supervisor, err) < 0)
                return -1;
        for (;;) {
                int worker_status = 0;
                pid_t pid;

                look_for_resolver(&supervisor);
                pid = fork();
                if (pid < 0)
                        return error_errno(err, ERROR_FAILED, "cannot start a worker");
                if (pid == 0)
                        return run_worker(&supervisor, self);
                closep(&settings->ready_fd);
                settings->ready_fd = -1;
                if (wait_for_end(&supervisor, pid, &worker_status)) {
                        status = EXIT_SUCCESS;
                        break;
                }
                if (!look_at_end(&supervisor, worker_status, &status))
                        break;
        }
        if (supervisor.shared->bound)
                (void)unlink(settings->socket_path);
        return status;
}
