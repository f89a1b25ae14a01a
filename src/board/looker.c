#include "board/looker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "board/sample.h"

#define LOOK_SECONDS 2

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct board_sample latest;
static bool fresh;          /* `latest` was not taken yet */
static bool hurry, resting; /* what the screen wants */
static int told;

/* Waits until it is time again, or somebody is in a hurry. */
static void await_next(void)
{
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_SECONDS;
        pthread_mutex_lock(&mutex);
        while (!hurry)
                if (resting)
                        pthread_cond_wait(&changed, &mutex);
                else if (pthread_cond_timedwait(&changed, &mutex, &until) == ETIMEDOUT)
                        break;
        hurry = false;
        pthread_mutex_unlock(&mutex);
}

static void publish(struct board_sample *sample)
{
        pthread_mutex_lock(&mutex);
        board_sample_clear(&latest);
        latest = *sample;
        fresh = true;
        pthread_mutex_unlock(&mutex);
        (void)!write(told, "", 1);
}

static void *look(void *data _unused_)
{
        struct sampler sampler = { 0 };

        for (;;) {
                struct board_sample sample;

                sampler_look(&sampler, &sample);
                publish(&sample);
                await_next();
        }
        return NULL;
}

/* Signals are for the screen. */
int looker_start(int fd, struct error **err)
{
        sigset_t all, before;
        pthread_t thread;
        int failure;

        told = fd;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failure = pthread_create(&thread, NULL, look, NULL);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failure == 0)
                failure = pthread_detach(thread);
        errno = failure;
        return failure == 0 ? 0 : error_errno(err, ERROR_FAILED, "cannot start a thread");
}

bool looker_take(struct board_sample *out)
{
        bool taken;

        pthread_mutex_lock(&mutex);
        taken = fresh;
        if (taken) {
                *out = latest;
                latest = (struct board_sample)BOARD_SAMPLE_INIT;
        }
        fresh = false;
        pthread_mutex_unlock(&mutex);
        return taken;
}

static void want(bool now, bool rest)
{
        pthread_mutex_lock(&mutex);
        hurry = now;
        resting = rest;
        pthread_cond_signal(&changed);
        pthread_mutex_unlock(&mutex);
}

void looker_hurry(void)
{
        want(true, false);
}

void looker_rest(void)
{
        want(false, true);
}
