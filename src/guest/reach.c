#include "guest/reach.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/os.h"

/*
 * getaddrinfo(3) has no time limit, and a resolver that doesn't answer holds it for minutes. So it runs in a thread, which is
 * left to itself when the time is up: it owns all that it touches, and its answer then goes nowhere.
 */
struct lookup {
        char *host;
        int answer; /* a pipe, for one byte: the class or NONE */
};

#define NONE 0xff

static enum address_class classify(const struct sockaddr *address)
{
        if (address->sa_family == AF_INET6)
                return address_classify6(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
        return address_classify4(((const struct sockaddr_in *)(const void *)address)->sin_addr);
}

static unsigned char resolve(const char *host)
{
        struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        struct addrinfo *list;
        unsigned char answer = NONE;

        if (getaddrinfo(host, NULL, &hints, &list) != 0)
                return NONE;
        for (const struct addrinfo *entry = list; entry; entry = entry->ai_next) {
                enum address_class class = classify(entry->ai_addr);

                if (class != ADDRESS_PRIVATE && class != ADDRESS_LINK_LOCAL) {
                        answer = NONE;
                        break;
                }
                answer = (unsigned char)class;
        }
        freeaddrinfo(list);
        return answer;
}

static void *look_up(void *data)
{
        struct lookup *lookup = data;
        unsigned char answer = resolve(lookup->host);

        /* If nobody waits for the answer any more, nothing is lost. */
        (void)!write(lookup->answer, &answer, 1);
        close(lookup->answer);
        free(lookup->host);
        free(lookup);
        return NULL;
}

static int start(const char *host, int *answer)
{
        struct lookup *lookup;
        sigset_t all, before;
        pthread_t thread;
        int ends[2];
        int failure;

        if (os_pipe(ends) < 0)
                return -1;
        lookup = xmalloc(sizeof(*lookup));
        *lookup = (struct lookup){ .host = xstrdup(host), .answer = ends[1] };
        /* The thread gets no signals: neither those meant for the program nor its own SIGPIPE. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        failure = pthread_create(&thread, NULL, look_up, lookup);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failure != 0) {
                close(ends[0]);
                close(ends[1]);
                free(lookup->host);
                free(lookup);
                return -1;
        }
        pthread_detach(thread);
        *answer = ends[0];
        return 0;
}

int reach_needs_lan(const char *host, deadline limit, enum address_class *class)
{
        _cleanup_(closep) int answer = -1;
        unsigned char byte = NONE;
        struct pollfd polled;
        int ready;

        if (start(host, &answer) < 0)
                return 0;
        polled = (struct pollfd){ .fd = answer, .events = POLLIN };
        do
                ready = poll(&polled, 1, deadline_left(limit));
        while (ready < 0 && errno == EINTR);
        if (ready <= 0 || read(answer, &byte, 1) != 1 || byte == NONE)
                return 0;
        *class = (enum address_class)byte;
        return 1;
}
