/*
 * The report of guest/session/work.sh about what exists only in a guest: parsed with limits (it is the guest's word), judged
 * against what the host has, and put into words.
 *
 *         work_parse() -> work_commits(), work_forgive() -> work_any() -> work_text(), work_clear()
 */
#pragma once

#include "lib/error.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

/* A ref with commits that no remote outside the guest is known to have, or, without a count, one to a tag, a tree or a file. */
struct work_ref {
        char *name;          /* "refs/heads/main"; "HEAD" when they are on no branch */
        char *tip;           /* hexadecimal */
        int64_t count;       /* of its commits */
        bool object;         /* a tag, a tree or a file instead of a commit */
        struct strv commits; /* the newest of them; the tip is the first */
};

/* What a work tree, or a group of files, has how many of */
enum work_count { WORK_FILES, WORK_CHANGED, WORK_HIDDEN, WORK_UNTRACKED, WORK_STASHES, WORK_COUNTS };

enum work_kind { WORK_KIND_REPO, WORK_KIND_FILES, WORK_KIND_DATA };

struct work_item {
        enum work_kind kind;
        char *path;    /* in the guest, "~/…" in the user's home */
        int64_t bytes; /* of what changed */
        int64_t time;  /* of the last change, in seconds since 1970; 0 = not known */
        int64_t counts[WORK_COUNTS];
        struct strv ignored;    /* what git ignores and no build is known to make */
        struct strv doing;      /* what git is in the middle of */
        struct strv unreadable; /* what git said where it couldn't look */
        struct work_ref *refs;
        size_t ref_count;
};

/* What can be made again */
struct work_safe {
        char *path;
        int64_t bytes;
};

struct work {
        struct work_item *items;
        size_t count;
        struct work_safe *safe;
        size_t safe_count;
        struct strv unread; /* what couldn't be looked at */
        char *unpacking;    /* the checksum of an archive that was being brought back; NULL = none */
};

#define WORK_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void work_clear(struct work *work);

/* Fails unless the report is complete and well-formed: what could not be found out never counts as nothing. */
int work_parse(const char *report, size_t length, struct work *out, struct error **err);
/* Adds the ids of all commits and other objects that it names, once each. */
void work_commits(const struct work *work, struct strv *out);
/*
 * Takes out what the host has: refs whose tip is in `safe` (then so is all before it). On the other refs, listed commits that
 * are in `safe` no longer count. Items that have nothing left are removed.
 */
void work_forgive(struct work *work, const struct strv *safe);
/* Is there anything that would be lost, or that couldn't be looked at? */
bool work_any(const struct work *work);

/* "repo", "files" or "data" */
const char *work_kind_name(enum work_kind kind);
/* "2 uncommitted files, branch 'x' has 3 unpushed commits", as the guest wrote the names. Owned by the caller. */
char *work_item_text(const struct work_item *item);
/*
 * A line for each item, the latest change first, then what is safe to lose; at most 20 and 5, and how many more there are.
 * Control characters are made visible. NULL when there is no work. Owned by the caller.
 */
char *work_text(const struct work *work);
