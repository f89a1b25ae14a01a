/*
 * A race: one command in several forks of one VM, each on a branch of its own in the first repo. Then one is kept, and the rest
 * are dropped.
 *
 *         race_run() -> forks NAME-race-1, NAME-race-2, … -> race_find() -> race_choose(), race_keep() | race_drop()
 *
 * A fork of a race is a VM like any other. Its record says that it is one (record.race), so that a killed run leaves nothing
 * that can't be found. What is known of its run is a file in its folder, RACE_FILE.
 */
#pragma once

#include "guest/branch.h"
#include "operation/front.h"
#include "vm/vm.h"

#define RACE_COUNT_DEFAULT 4
#define RACE_COUNT_MOST    16
#define RACE_FILE          "race.json"

/* How a command has ended. */
struct race_end {
        bool known; /* it has ended; false: it never ran, or was stopped */
        int status; /* as a shell reports it */
};

struct race_fork {
        int64_t number; /* from 1 */
        char *name;
        char *branch;  /* NULL = the VM has no repo */
        char *tree;    /* what its work tree had at the beginning (guest/branch.h); NULL = not known */
        char *log;     /* the path of what the commands said; NULL = none was started */
        char *trouble; /* why it is out of the race; NULL = it isn't */
        struct race_end command, test;
        bool compared; /* `diff` is known */
        struct branch_diff diff;
        int64_t took_ms; /* of the command; -1 = it has not ended */
};

struct race {
        char *name; /* the VM's that was forked */
        struct race_fork *items;
        size_t count;
};

#define RACE_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void race_clear(struct race *race);

struct race_wish {
        size_t count;
        size_t at_once;             /* how many commands may run at a time */
        const char *branch;         /* the branches are BRANCH-1, BRANCH-2, …; NULL = race-1, … */
        const char *test;           /* for bash, run where the command has ended; NULL = none */
        const char *const *command; /* NULL-ended */
};

/*
 * Runs a race. `source` is locked, and is unlocked once its snapshot is taken. The commands get RACE, the fork's number, and
 * RACE_COUNT in their environment. A fork that can't be made has its reason in `out`, and the others go on; fails when none can
 * be made. When the program is asked to end, so do the commands; the forks stay.
 */
int race_run(struct front *front, struct vm *source, const struct race_wish *wish, struct race *out, struct error **err);

/* The race of this VM, in the order of its numbers; none is success with count 0. The VM itself need not exist any more. */
int race_find(const char *name, struct race *out, struct error **err);
/* The fork with this name, number or branch. ERROR_NOT_FOUND names those that there are. */
const struct race_fork *race_choose(const struct race *race, const char *wanted, struct error **err);
/* Its branch; when the file that says so is gone, what the guest is asked for instead. */
const char *race_branch(const struct race_fork *fork);
/* Did its command, and its test if there was one, end with 0? */
bool race_passed(const struct race_fork *fork, bool tested);
/* Did any? */
bool race_any_passed(const struct race *race, bool tested);

struct race_kept {
        char *checkout;  /* where the branch was fetched to; NULL = it was not */
        int64_t commits; /* that were fetched */
        bool removed;    /* the fork is gone, because there is nothing left in it that is nowhere else */
        char *holds;     /* what is in it beside that (work_text()); NULL = nothing, or it was not asked */
        size_t dropped;  /* how many others were removed */
};

#define RACE_KEPT_INIT                                                                                                         \
        {                                                                                                                      \
                0                                                                                                              \
        }
void race_kept_clear(struct race_kept *kept);
/*
 * Commits what is not committed in the fork, fetches its branch into the checkout if the VM was made from one
 * (guest/fetch.h), and then removes the others. The fork goes too when its work is all fetched; otherwise it becomes a VM of
 * its own. An interrupted call is finished by the next one.
 */
int race_keep(struct front *front, const struct race *race, const struct race_fork *fork, struct race_kept *out,
              struct error **err);
/* Removes all forks but one (NULL = all), with all work in them, and what a killed race has left of its snapshot. */
int race_drop(struct front *front, const struct race *race, const struct race_fork *but, size_t *dropped, struct error **err);

/* --- for race-run.c and race-keep.c */

#define RACE_LABEL "race" /* of the snapshot that the forks begin at */
/* Drops such snapshots of a VM that is locked. */
int race_drop_snapshots(struct vm *source, struct error **err);
/* "NAME-race-NUMBER". Owned by the caller. */
char *race_fork_name(const char *name, int64_t number);
/* The number in such a name; 0 = it is none of this VM. */
int64_t race_number_of(const char *name, const char *fork);
/* Writes what is known of a fork's run into the fork's folder. */
int race_write(const char *folder, const struct race_fork *fork, struct error **err);
void race_read(const char *folder, struct race_fork *out);
