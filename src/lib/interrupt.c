#include "lib/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/os.h"

#define GROUPS_MOST 8

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

static bool caught;
static sigset_t waited_for;
static int ends[2] = { -1, -1 };
static atomic_bool seen;
static unsigned holds;
static char *advice; /* the hint */

/* Guards what the thread shares with the rest. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void (*answer)(void *data);
static void *answer_data;
static pid_t groups[GROUPS_MOST];

static _noreturn_ void end_now(int number)
{
        sigset_t only;

        pthread_mutex_lock(&mutex);
        for (size_t i = 0; i < GROUPS_MOST; i++)
                if (groups[i] > 0)
                        kill(-groups[i], SIGKILL);
        signal(number, SIG_DFL);
        sigemptyset(&only);
        sigaddset(&only, number);
        pthread_sigmask(SIG_UNBLOCK, &only, NULL);
        raise(number);
        _exit(128 + number);
}

static void *wait_for_signals(void *data _unused_)
{
        for (;;) {
                int number;

                if (sigwait(&waited_for, &number) != 0)
                        continue;
                if (seen)
                        end_now(number);
                /* Taken first: whoever sees the signal and then calls interrupt_mute() waits until it was said. */
                pthread_mutex_lock(&mutex);
                seen = true;
                /* Never read, so whoever polls for it from now on sees it. */
                (void)!write(ends[1], "", 1);
                if (answer)
                        answer(answer_data);
                pthread_mutex_unlock(&mutex);
        }
        return NULL;
}

/* One that is ignored stays so: whoever started the program wants it to go on. */
static void choose_signals(sigset_t *out)
{
        sigemptyset(out);
        for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
                struct sigaction before;

                if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
                        sigaddset(out, numbers[i]);
        }
}

/* The thread that waits has all signals blocked, so that none of them ever calls a handler there. */
static int start_thread(struct error **err)
{
        sigset_t all, before;
        pthread_t thread;
        int failure;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failure = pthread_create(&thread, NULL, wait_for_signals, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failure == 0)
                failure = pthread_detach(thread);
        errno = failure;
        return failure == 0 ? 0 : error_errno(err, ERROR_FAILED, "cannot start a thread");
}

int interrupt_catch(void (*say)(void *data), void *data, struct error **err)
{
        answer = say;
        answer_data = data;
        if (os_pipe(ends) < 0)
                return error_errno(err, ERROR_FAILED, "cannot make a pipe");
        choose_signals(&waited_for);
        pthread_sigmask(SIG_BLOCK, &waited_for, NULL);
        if (start_thread(err) < 0) {
                pthread_sigmask(SIG_UNBLOCK, &waited_for, NULL);
                return -1;
        }
        caught = true;
        return 0;
}

void interrupt_mute(void)
{
        pthread_mutex_lock(&mutex);
        answer = NULL;
        pthread_mutex_unlock(&mutex);
}

bool interrupt_is_caught(void)
{
        return caught;
}

bool interrupt_pending(void)
{
        return seen && holds == 0;
}

int interrupt_check(struct error **err)
{
        return interrupt_pending() ? error_set(err, ERROR_INTERRUPTED, "stopped") : 0;
}

int interrupt_fd(void)
{
        return holds == 0 ? ends[0] : -1;
}

void interrupt_hold(void)
{
        holds++;
}

void interrupt_go_on(void)
{
        holds--;
}

void interrupt_next(const char *format, ...)
{
        _cleanup_(freep) char *command = NULL;
        va_list args;

        va_start(args, format);
        command = xvasprintf(format, args);
        va_end(args);
        interrupt_advise("'%s' goes on from there", command);
}

void interrupt_advise(const char *format, ...)
{
        va_list args;

        va_start(args, format);
        set_string(&advice, xvasprintf(format, args));
        va_end(args);
}

int interrupt_report(struct error **err)
{
        error_set(err, ERROR_INTERRUPTED, "stopped before it was done");
        return advice ? error_hint(err, "%s", advice) : -1;
}

/* --- groups */

static void replace_group(pid_t from, pid_t to)
{
        size_t i = 0;

        pthread_mutex_lock(&mutex);
        while (i < GROUPS_MOST && groups[i] != from)
                i++;
        /* When there is no room, the second signal does not kill this group. It ends when we do, like every child. */
        if (i < GROUPS_MOST)
                groups[i] = to;
        pthread_mutex_unlock(&mutex);
}

void interrupt_add_group(pid_t group)
{
        replace_group(0, group);
}

void interrupt_forget_group(pid_t group)
{
        replace_group(group, 0);
}
