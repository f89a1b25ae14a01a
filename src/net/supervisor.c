#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harden.h"
#include "lib/deadline.h"
#include "lib/process.h"

#define RESTARTS_MOST      10
#define RESTARTS_WITHIN_MS (60 * 1000)

/* A worker goes round once a second. One that hasn't for three looks on end is stuck. */
#define LOOK_SECONDS 5
#define LOOKS_MOST   3

struct supervisor {
        struct net_settings *settings;
        struct net_shared *shared;
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
        return harden_supervisor(supervisor->settings->socket_path, err);
}

static int reap(pid_t pid, int options, int *status)
{
        pid_t found;

        do
                found = waitpid(pid, status, options);
        while (found < 0 && errno == EINTR);
        return found == pid;
}

/* Waits for the worker's end. True when we were told to end ourselves: the worker is then gone already. */
static bool wait_for_end(struct supervisor *supervisor, pid_t pid, int *status)
{
        const struct timespec look = { .tv_sec = LOOK_SECONDS };
        uint64_t rounds = supervisor->shared->rounds;
        int still = 0;

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
                still = supervisor->shared->rounds == rounds ? still + 1 : 0;
                rounds = supervisor->shared->rounds;
                if (still == LOOKS_MOST) {
                        log_note(&supervisor->settings->log, "the worker stands still");
                        kill(pid, SIGKILL);
                }
        }
}

/* A worker died of something. May there be another? */
static bool may_restart(struct supervisor *supervisor, int status)
{
        _cleanup_(freep) char *text = process_status_text(status);
        int64_t *oldest = &supervisor->deaths[supervisor->death_count % RESTARTS_MOST];
        int64_t now = now_ms();
        bool often = supervisor->death_count >= RESTARTS_MOST && now - *oldest < RESTARTS_WITHIN_MS;

        *oldest = now;
        supervisor->death_count++;
        log_note(&supervisor->settings->log, "the worker ended by what the guest sent: %s; %s", text,
                 often ? "too often, the network is down" : "a new one goes on, open connections are lost");
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

/* 1 = start another; 0 = the end, *status is the exit status. */
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
        /* Whoever waits at the other end of the ready_fd knows what failed, or sees it closed without a word. */
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
                pid_t pid = fork();

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
