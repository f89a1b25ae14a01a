/*
 * What is done on a fork's branch in its first repo: how much it is, and committing the rest (guest/session/race.sh). For VMs
 * that have a repo. All of it is the guest's word.
 */
#pragma once

#include "guest/session.h"

struct branch_diff {
        int64_t files, added, removed; /* lines of text files */
};

/* *tree becomes the id of what the work tree has, uncommitted files included, owned by the caller. */
int branch_tree(const struct vm *vm, char **tree, struct error **err);
/* How what the work tree has now, committed or not, differs from such a tree. */
int branch_compare(const struct vm *vm, const char *tree, struct branch_diff *out, struct error **err);
/*
 * Commits on the branch what is not committed yet. *tip becomes the branch's last commit, or that of the branch which HEAD is
 * on if that one goes on from there; NULL = nothing was ever committed. Fails with what git says, such as that it is in the
 * middle of a merge. Owned by the caller.
 */
int branch_save(const struct vm *vm, const char *branch, char **tip, struct error **err);
/* Appends what each ref of the repo leads to, as hexadecimal ids. */
int branch_refs(const struct vm *vm, struct strv *out, struct error **err);

/* "FILES ADDED REMOVED". Returns 0 or -1. */
int branch_parse_diff(const char *text, struct branch_diff *out);
/* Is it the name of an object: 40 or 64 hexadecimal digits? */
bool branch_is_id(const char *text);
