/*
 * What has to happen so that a project's VM becomes what was asked for: pure, no I/O. (wanted, observed) -> ordered steps, each
 * with its reason. `machine up --dry-run` prints them and `machine up` carries them out, so both always agree.
 */
#pragma once

#include "config/project.h"
#include "plan/drift.h"
#include "vm/vm.h"

enum plan_step_type {
        PLAN_FINISH_DESTROY, /* a destroy was interrupted */
        PLAN_DISCARD,        /* a create was interrupted: remove the half-made disk */
        PLAN_CREATE,         /* keys, disk (and base image) */
        PLAN_RESTART,        /* running, but ports or lan changed */
        PLAN_START,
        PLAN_EGRESS,  /* the rules of a running guest */
        PLAN_GIT,     /* who commits, and with which key */
        PLAN_RECIPE,  /* the part of the recipe that is not applied yet */
        PLAN_CLIENTS, /* which hosts the guest's package clients use, for its rules */
        PLAN_REPOS,   /* clone or push what is missing */
        PLAN_PUBLISH, /* ssh configuration */
};

struct plan_step {
        enum plan_step_type type;
        char *reason; /* "there is no VM 'blog' yet" */
};

struct plan {
        struct plan_step *steps;
        size_t count;
        bool running;      /* it runs already: a start only makes sure that its guest is complete */
        struct strv notes; /* how the VM differs from its configuration where no step changes it (drift.h) */
};

#define PLAN_INIT                                                                                                              \
        {                                                                                                                      \
                0                                                                                                              \
        }
void plan_clear(struct plan *plan);

/* Fails with ERROR_ENGINE when the observed state allows no plan, such as VM_BROKEN. */
int plan_up(const struct project *wanted, const struct plan_observed *observed, struct plan *out, struct error **err);
bool plan_has(const struct plan *plan, enum plan_step_type type);
const char *plan_step_name(enum plan_step_type type);
