/*
 * The report of guest/session/repos-work.sh: parsed with limits (it is the guest's word), judged against what the host has,
 * and put into one line per repo.
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* Commits that no remote-tracking branch in the guest has: on a branch, on a detached HEAD, or in a submodule. */
struct work_branch {
        char *name;
        char *tip;     /* hexadecimal; NULL for a submodule */
        int64_t count; /* of its commits */
        bool submodule;
        struct strv commits; /* the newest of them; the tip is the first */
};

/* A work tree: the repo's own, or a further one. */
struct work_tree {
        char *path; /* NULL = the repo's own */
        int64_t changed, untracked;
        struct work_branch *branches; /* what was found while looking at this work tree */
        size_t branch_count;
};

struct work_repo {
        char *name;
        int64_t files; /* how many a folder has that is not a repository; 0 = a repository */
        int64_t stashes;
        struct strv unreadable;  /* what git said where it couldn't look */
        struct work_tree *trees; /* at least one */
        size_t tree_count;
};

struct work {
        struct work_repo *repos;
        size_t count;
};

#define WORK_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void work_clear(struct work *work);

/* Fails unless the report is complete and well-formed: what could not be found out never counts as nothing. */
int work_parse(const char *report, size_t length, struct work *out, struct error **err);
/* Adds all commits that it names, once each. */
void work_commits(const struct work *work, struct strv *out);
/*
 * Takes out what the host has: branches whose tip is in `safe` (then so is all before it). On the other branches, listed
 * commits that are in `safe` no longer count.
 */
void work_forgive(struct work *work, const struct strv *safe);
/* "blog: 2 uncommitted files, branch 'x' has 3 unpushed commits" for each repo with work, control characters made visible. NULL
 * when there is none. Owned by the caller. */
char *work_text(const struct work *work);
