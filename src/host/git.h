/*
 * The only way in which this program runs git on the host.
 *
 * A repo's configuration names programs: hooks, filters, a pager, a file system monitor, ssh and other transports, text
 * converters, credential helpers, remotes from which missing objects are fetched. The repo chooses the names of some of these
 * keys (filter.NAME, url.URL.insteadOf, includes), so no list of `-c` settings overrides them all. Therefore git never runs in
 * somebody else's repository: it works on a git directory of ours (host/repository.h), which has our configuration and no
 * other, or on none at all.
 *
 * Everything else that could redirect it is decided here, for every run:
 *   environment     GIT_* is ours; of the caller's only GIT_EXEC_PATH stays
 *   configuration   neither the user's nor the system's, unless git_use_settings() asks for them: these are trusted
 *   transports      none: what goes into a guest is packed here and unpacked there (guest/push.h)
 *   objects         never fetched when missing, never replaced (refs/replace)
 *   hooks, fsmonitor, pager, prompts, optional locks: off, whatever the user's configuration says
 *
 * git has had all of this since 2.32 except GIT_NO_LAZY_FETCH (2.44, and fixes of older ones). Without that, missing objects
 * are not fetched either, because our configuration names no remote. Source: git(1), git-config(1), gitrepository-layout(5).
 *
 *         _cleanup_(git_clear) struct git git = GIT_INIT;
 *         git_init(&git, repository.view);
 *         strv_adds(&git.argv, "rev-parse", "--verify", "HEAD", NULL);
 *         if (git_check(&git, &out, err) < 0) ...
 */
#pragma once

#include "lib/error.h"
#include "lib/process.h"
#include "lib/strbuf.h"
#include "lib/strv.h"

struct git {
        struct strv argv, environment;
        struct process_spec spec; /* time limit, input and listener may be set by the caller */
        size_t command;           /* index in argv of git's command */
};

#define GIT_INIT                                                                                                               \
        {                                                                                                                      \
                .argv = STRV_INIT, .environment = STRV_INIT                                                                    \
        }
/* `view` is a git directory of ours, valid until the run has ended; NULL = git has no repository. */
void git_init(struct git *git, const char *view);
void git_clear(struct git *git);
/* Lets the user's and the system's configuration count. */
void git_use_settings(struct git *git);
/* Has it put new objects into this folder, and look for them there and in the view: nobody else sees them there. */
void git_use_quarantine(struct git *git, const char *folder);
/* Makes this folder the work tree. */
void git_use_work_tree(struct git *git, const char *folder);

/* Runs it and wants exit status 0. Appends the output without white space at its end; `out` may be NULL. */
int git_check(struct git *git, struct strbuf *out, struct error **err);
/* The same, line by line. */
int git_lines(struct git *git, struct strv *out, struct error **err);
/* Starts it and returns at once; the caller has set the descriptors in `spec`, and reaps it with process_wait(). */
int git_start(struct git *git, pid_t *pid, struct error **err);
/* For commands that answer by their exit status: 0 or 1. -1 with an error when it is neither. */
int git_ask(struct git *git, struct strbuf *out, struct error **err);
