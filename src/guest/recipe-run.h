/*
 * One part of a recipe, run in a guest: guest/recipe/run and the part's steps go in by ssh, always those of this program, and
 * what it reports comes back as events. A step that the guest has with the same hash is left alone; the first that fails is the
 * last.
 *
 *         recipe_run_applied(&vm, &part, &applied, err);      // which need nothing, and so no download either
 *         recipe_run(&(struct recipe_run){ .vm = &vm, .part = &part, .files = &files, … }, err);
 *         recipe_run_adopt(&vm, &part, err);                  // after machine.lock gave the steps other hashes
 */
#pragma once

#include "config/recipe.h"
#include "guest/session.h"

/* Where the host has what a step downloads. */
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

/* Told of each package that a step of the part has installed. The guest's word. */
typedef void (*recipe_run_version_fn)(const struct recipe_part *part, const char *step, const char *name, const char *version,
                                      void *data);

/* The ids of the part's steps that the guest has with their hash. */
int recipe_run_applied(const struct vm *vm, const struct recipe_part *part, struct strv *applied, struct error **err);
struct recipe_run {
        const struct vm *vm;
        const struct recipe_part *part;
        const struct recipe_run_files *files;
        const char *logs;  /* folder for the log of a step that fails */
        const char *again; /* the command that goes on after that: "machine up blog" */
        recipe_run_version_fn on_version;
        void *data;
        struct event_sink *events;
};
/* A step that fails is ERROR_STEP; its whole log is then LOGS/recipe-PART-ID.log. Has no limit of time of its own: what a
 * recipe does may take hours, and its last line is shown. */
int recipe_run(const struct recipe_run *run, struct error **err);
/* Tells the guest the steps' hashes as they are now, all having been applied. */
int recipe_run_adopt(const struct vm *vm, const struct recipe_part *part, struct error **err);
