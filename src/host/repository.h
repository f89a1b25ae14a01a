/*
 * A git repository on the host, read without obeying it.
 *
 * repository_open() finds it as git would (the folder ".git", or the file of that name, in a folder or further up) and reads
 * its configuration as plain data: that executes nothing and follows no include. repository_view() makes a git directory of
 * ours, the view, for the runs of git that need objects, refs or the index (host/git.h). The view links to those and has a
 * configuration, attributes and nothing else of its own:
 *
 *   config            the repository's format, its file system's properties, line ends: keys and values from a fixed list
 *   HEAD              a copy
 *   index, packed-refs, shallow, refs, reftable, logs, info/exclude    links
 *   objects           a folder of ours with links to the repository's packs and loose objects: no alternates
 *   info/attributes   "* -filter": none of the user's filters runs on a repo's files either
 *
 * What is missing in the view can't count, whatever it is called: remotes, filters, url.*.insteadOf, includes, hooks,
 * submodules, grafts, promisor remotes, core.worktree. When a run of git writes refs, it writes through the links.
 *
 * A repository that leads to another one could bring that one's code into a VM. So these are errors: links in place of the
 * files and folders above, alternates, a file ".git" with a target that doesn't name this work tree in return (`git worktree`
 * and submodules do). A repository further up counts only when its last commit has the folder. A bare repository doesn't count.
 *
 * Source: gitrepository-layout(5), git-worktree(1), "Repository format" in git's technical documentation.
 */
#pragma once

#include "lib/error.h"
#include "lib/nest.h"
#include "lib/strv.h"

struct repository {
        char *top;            /* the work tree: the folder with ".git" */
        char *folder;         /* with HEAD and index */
        char *common;         /* with config, objects and refs; differs from `folder` for a linked work tree */
        struct strv settings; /* "KEY\nVALUE", as `git config --list --null` writes them */
        struct nest nest;     /* our temporary folder, once repository_view() has made it */
        char *view;           /* the git directory in it, for git_init() */
        char *around;         /* when there is none: a repository further up that doesn't have the folder; or NULL */
};

#define REPOSITORY_INIT                                                                                                        \
        {                                                                                                                      \
                .settings = STRV_INIT, .nest = NEST_INIT                                                                       \
        }
/* What lies at a path. A symlink is not followed. */
enum repository_kind { KIND_NOTHING, KIND_FILE, KIND_FOLDER, KIND_OTHER };
enum repository_kind repository_kind(const char *folder, const char *name);

/* Removes the view, too. */
void repository_clear(struct repository *repository);
/* 1 = it is there, 0 = there is none, -1 = error. */
int repository_open(const char *folder, struct repository *out, struct error **err);
/* The value of a key ("remote.origin.url": section and last part in lower case), the last one if there are several, or NULL. */
const char *repository_setting(const struct repository *repository, const char *key);
/* Does it lack objects that its remote has (a partial clone)? */
bool repository_is_partial(const struct repository *repository);
/* Makes the view, once. */
int repository_view(struct repository *repository, struct error **err);
/* Changes the repository's own configuration, without reading it: sets a key, removes a section. */
int repository_set(const struct repository *repository, const char *key, const char *value, struct error **err);
int repository_remove_section(const struct repository *repository, const char *section, struct error **err);
