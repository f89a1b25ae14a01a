/*
 * Finds how a VM differs from its configuration, and what it takes to change that: pure, no I/O. The plan's notes and
 * `machine status` are made from it.
 */
#pragma once

#include "config/project.h"
#include "vm/vm.h"

enum drift_remedy {
        DRIFT_UP,      /* `machine up` applies it */
        DRIFT_START,   /* the next start applies it: machine restart */
        DRIFT_REBUILD, /* only a new VM has it */
        DRIFT_NONE,    /* it stays: nothing is taken away from the VM */
};

struct drift_item {
        const char *what; /* "cpus": the configuration's key where there is one; static */
        /* Words for programs; NULL = none. A recipe, a base image and what git is told are hashes, which tell nobody anything:
         * they are "older", "configured", "current", "other", "host". drift_text() has the words for people. */
        char *has, *wanted;
        enum drift_remedy remedy;
};

struct drift {
        struct drift_item *items;
        size_t count;
};

#define DRIFT_INIT                                                                                                             \
        {                                                                                                                      \
                0                                                                                                              \
        }
void drift_clear(struct drift *drift);

/* What an optional step is called that failed: `wanted` is then as config/recipe-lack.h has it. */
#define DRIFT_LACKS "optional step"

/* What was seen of a VM, and of what a new one would be made from. */
struct plan_observed {
        const struct vm_record *record; /* NULL = none */
        enum vm_state state;
        const char *recipe;             /* hash of the recipe that it should have; NULL = none */
        const char *git;                /* hash of what git in the guest should know about who commits */
        const struct strv *needed_keys; /* the agent's keys, when the project names none (guest/lend.h); NULL, empty = all */
        bool old_base;                  /* the base image has changed since */
        const char *lost;               /* what a running VM has lost, which a start puts right; NULL = nothing */
        bool grows_disk;                /* its engine enlarges the disk at a start */
};

/* For a VM that has a record. */
void drift_find(const struct project *wanted, const struct plan_observed *observed, struct drift *out);
/*
 * Returns the setting for which `machine up` stops a running VM first, or NULL. These are the settings that the VM's network
 * process reads only when it starts. Static.
 */
const char *drift_restarts(const struct drift *drift);
/* Is `what` among the differences? */
bool drift_has(const struct drift *drift, const char *what);

const char *drift_remedy_name(enum drift_remedy remedy); /* "up", "start", "rebuild", "none" as in `status --json` */
/* Returns "cpus: VM 'blog' has 2, the configuration says 4; …" with what to do. Owned by the caller. */
char *drift_text(const struct drift_item *item, const char *name);
