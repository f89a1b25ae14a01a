#include "keys/patience.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/deadline.h"

#define DOUBLINGS_MOST 16

enum answer patience_judge(struct patience *patience, int64_t now)
{
        if (patience->held_off_until > now + PATIENCE_LONGEST_MS || patience->span_began > now)
                *patience = (struct patience){ 0 };
        if (patience->span_began == 0 || now - patience->span_began >= PATIENCE_SPAN_MS) {
                patience->span_began = now;
                patience->asked = 0;
        }
        if (patience->held_off_until > now)
                return ANSWER_HELD_OFF;
        if (patience->asked >= PATIENCE_MOST)
                return ANSWER_TOO_MANY;
        patience->asked++;
        return ANSWER_YES;
}

void patience_note(struct patience *patience, bool yes, int64_t now)
{
        int64_t pause = PATIENCE_FIRST_MS;

        if (yes) {
                patience->unanswered = 0;
                patience->held_off_until = 0;
                return;
        }
        for (int64_t i = 0; i < patience->unanswered && i < DOUBLINGS_MOST; i++)
                pause *= 2;
        patience->unanswered++;
        patience->held_off_until = now + (pause < PATIENCE_LONGEST_MS ? pause : PATIENCE_LONGEST_MS);
}

static void read_file(int fd, struct patience *out)
{
        if (pread(fd, out, sizeof(*out), 0) != (ssize_t)sizeof(*out))
                *out = (struct patience){ 0 };
}

static bool write_file(int fd, const struct patience *patience)
{
        return pwrite(fd, patience, sizeof(*patience), 0) == (ssize_t)sizeof(*patience);
}

enum answer patience_begin(const char *path, int *held)
{
        _cleanup_(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        struct patience patience;
        enum answer verdict;

        if (fd < 0)
                return ANSWER_FAILED;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return ANSWER_OPEN;
        read_file(fd, &patience);
        verdict = patience_judge(&patience, now_ms());
        /* Counts as unanswered from the start, so that it does even when this process is killed. */
        if (verdict == ANSWER_YES)
                patience_note(&patience, false, now_ms());
        if (!write_file(fd, &patience))
                return ANSWER_FAILED;
        if (verdict == ANSWER_YES)
                *held = TAKE_FD(fd);
        return verdict;
}

void patience_end(int held, bool yes)
{
        struct patience patience;

        read_file(held, &patience);
        if (yes) {
                patience_note(&patience, true, now_ms());
        } else {
                /* patience_begin() has counted it already; the pause begins now. */
                patience.unanswered--;
                patience_note(&patience, false, now_ms());
        }
        write_file(held, &patience); /* a yes that can't be noted makes the next question wait */
        close(held);
}
