/*
 * What a VM is filled with: provision.toml (the part "base") and the profiles of a project, in order, as steps that other code
 * runs. All it does is read files: nothing is downloaded, and no guest is asked.
 *
 *         struct recipe_wish wish = { .tree = tree, .profiles = &project->profiles, .architecture = "amd64",
 *                                     .suite = "trixie" };
 *         _cleanup_(recipe_clear) struct recipe recipe = RECIPE_INIT;
 *         _cleanup_(lockfile_clear) struct lockfile lock = LOCKFILE_INIT;
 *
 *         recipe_read(&wish, &recipe, err);                       // every mistake of a file at once, as file:line:column
 *         lockfile_read(recipe.lock_path, &lock, err);
 *         recipe_resolve(&recipe, &lock, err);                    // puts in the hashes and versions that machine.lock has
 *
 * Where files are found: provision.toml in the checkout (only if `tree` has it: only a trusted checkout has a tree), else in
 * the configuration folder, else the shipped one. profiles/NAME in the same order; the first one found wins.
 *
 * Merging: steps of the base come first, then those of each profile. Lists add up. Of two entries with one name (a release, an
 * installer, a path of [[files]]), and of two values of default_permission_mode, the earlier one wins; the later step is there
 * as skipped. The same name for two kinds is an error that names both places.
 */
#pragma once

#include "config/checkout-tree.h"
#include "config/lockfile.h"
#include "config/project.h"
#include "config/settings.h"
#include "lib/hash.h"

/* In the order in which the steps of a part run. */
enum recipe_kind {
        RECIPE_CA,
        RECIPE_APT_REPO,
        RECIPE_APT,
        RECIPE_RELEASE,
        RECIPE_INSTALLER,
        RECIPE_UV_TOOL, /* before npm's, because Node.js itself may come from the Python index */
        RECIPE_NPM_GLOBAL,
        RECIPE_FILES,
        RECIPE_AGENTS,
        RECIPE_SHELL,
};
#define RECIPE_KINDS (RECIPE_SHELL + 1)

/* "apt_repo": also the section's name in the file, except for "agents" ([claude]). */
const char *recipe_kind_name(enum recipe_kind kind);

/* One parameter of a step, for the guest's script of its kind: a name and its items. "packages": "git", "jq". */
struct recipe_value {
        char *name;
        struct strv items;
};

/* A file that the step brings along. */
struct recipe_file {
        char *name;
        char *content;
        size_t length;
        bool executable;
};

/* What a step downloads. The host downloads it, checks it, and sends it in as the file `name` of the step. */
struct recipe_download {
        char *name;
        char *url;
        char *sha256; /* NULL = not known yet: recorded in machine.lock at its first use */
        bool locked;  /* sha256 is machine.lock's, not the recipe's */
        unsigned line, column;
};

struct recipe_step {
        enum recipe_kind kind;
        char *id;         /* unique in its part: "apt", "release-fzf", "shell-2"; [a-z0-9._-]+ */
        char *title;      /* for people: "apt: git, jq, 12 more" */
        const char *file; /* the part's */
        unsigned line, column;
        bool as_user;    /* run as the guest's user instead of root */
        bool optional;   /* the others go on without it when it fails; no part of the hash */
        bool checks_all; /* it checks what the steps before it made: left out when one of those failed */
        char *skipped;   /* why it does not apply ("only on arm64"); NULL = it does */
        struct recipe_value *values;
        size_t value_count;
        struct recipe_file *files;
        size_t file_count;
        struct recipe_download *downloads;
        size_t download_count;
        char *verify; /* shell command that must succeed after it; NULL = none */
        char *hash;   /* of all of the above that matters; NULL before recipe_resolve() and for skipped steps */
};

#define RECIPE_BASE "base"

struct recipe_part {
        char *name; /* RECIPE_BASE, then the profiles' */
        char *file;
        const char *origin;        /* "checkout", "user" or "shipped" */
        struct recipe_step *steps; /* in the order of the kinds */
        size_t step_count;
};

struct recipe {
        struct recipe_part *parts;
        size_t part_count;
        char *architecture, *suite;
        char *lock_path; /* machine.lock: in the checkout, else in the configuration folder */
};

#define RECIPE_INIT                                                                                                            \
        {                                                                                                                      \
                0                                                                                                              \
        }
void recipe_clear(struct recipe *recipe);

struct recipe_wish {
        const struct checkout_tree *tree; /* of a trusted checkout; NULL = none */
        const struct strv *profiles;      /* NULL = none */
        const char *profiles_file;        /* where they were asked for; NULL = not in a file */
        const struct project_place *profile_places;
        const char *architecture;        /* Debian's name: "amd64" */
        const char *suite;               /* "trixie" */
        const struct settings *settings; /* what is carried in of the host's CA and proxies; NULL = nothing */
};

int recipe_read(const struct recipe_wish *wish, struct recipe *out, struct error **err);

/*
 * Puts in what machine.lock has: hashes of downloads, and versions of packages that the recipe names without one. Afterwards
 * every step that applies has its hash. A download without a hash counts by its URL, so resolving again after its first use
 * gives another hash. -1 when the recipe's own sha256 contradicts the lock's.
 */
int recipe_resolve(struct recipe *recipe, const struct lockfile *lock, struct error **err);

/* The items of the value `name`, or NULL. */
const struct strv *recipe_step_value(const struct recipe_step *step, const char *name);
/* Adds the part's name, and the ids and hashes of its steps that apply. Those in `lacks` (recipe-lack.h) are only named as
 * such, whatever is in them. */
void recipe_part_add_to(const struct recipe_part *part, const struct strv *lacks, struct hash *hash);
/* The hash over the hashes of all steps that apply, in their order; NULL when there is none. Owned by the caller. */
char *recipe_hash(const struct recipe *recipe);
/*
 * Appends the names, without versions, of those packages of `part` that only Debian's archive decides about. There are none if
 * the part has a package source of its own. Optional packages, and names that mean something else to apt, are left out.
 */
void recipe_debian_packages(const struct recipe_part *part, struct strv *out);
/* Is there a step that would run? */
bool recipe_has_steps(const struct recipe *recipe);
