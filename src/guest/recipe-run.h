/*
 * Runs one part of a recipe in a guest: guest/recipe/run and the part's steps go in by ssh, always those of this program, and
 * what they report comes back as events. A step that the guest has with the same hash is left alone. The first step that fails
 * is the last, unless it is optional: then the others go on without it, except the one that checks them all.
 *
 *         recipe_run_applied(&vm, &part, &applied, err);      // these steps need nothing, not even a download
 *         recipe_run(&(struct recipe_run){ .vm = &vm, .part = &part, .files = &files, … }, err);
 *         recipe_run_adopt(&vm, &part, &lacks, err);          // after machine.lock gave the steps other hashes
 */
#pragma once

#include "config/recipe.h"
#include "guest/session.h"

/* Where the host keeps what a step downloads. */
struct recipe_run_file {
        const struct recipe_download *download;
        char *path;
};

struct recipe_run_files {
        struct recipe_run_file *items;
        size_t count;
};

#define RECIPE_RUN_FILES_INIT                                                                                                  \
        {                                                                                                                      \
                0                                                                                                              \
        }
void recipe_run_files_clear(struct recipe_run_files *files);

/* Called for each package that the part's running step says it has installed. This is the guest's word. */
typedef void (*recipe_run_version_fn)(const struct recipe_part *part, const struct recipe_step *step, const char *name,
                                      const char *version, void *data);

/* Called for each step that the guest goes without: an optional one that failed, for `reason`, and whose `log` is there (a
 * path; NULL = it could not be fetched); or, without a reason, the one that would check all of them. */
typedef void (*recipe_run_missed_fn)(const struct recipe_part *part, const struct recipe_step *step, const char *reason,
                                     const char *log, void *data);

/* Adds the ids of those steps of the part that the guest has with the same hash. */
int recipe_run_applied(const struct vm *vm, const struct recipe_part *part, struct strv *applied, struct error **err);
struct recipe_run {
        const struct vm *vm;
        const struct recipe_part *part;
        const struct recipe_run_files *files;
        const char *logs;           /* folder for the log of a step that fails */
        const char *again;          /* the command that continues after that: "machine up blog" */
        const struct strv *without; /* ids of optional steps that have failed already, when they were to be downloaded */
        recipe_run_version_fn on_version;
        recipe_run_missed_fn on_missed;
        void *data;
        struct event_sink *events;
};
/* Fails with ERROR_STEP when a step does that is not optional; the last 1,000,000 bytes of its log are then in
 * LOGS/recipe-PART-ID.log. A part may take 12 hours, and its last line is shown. */
int recipe_run(const struct recipe_run *run, struct error **err);
/* Tells the guest the steps' present hashes. All steps must have been applied, except those that it `lacks` (recipe-lack.h). */
int recipe_run_adopt(const struct vm *vm, const struct recipe_part *part, const struct strv *lacks, struct error **err);
