/*
 * What the user wants: projects.toml and .machine.toml (config/checkout.h), decoded by one schema table each. All mistakes in a
 * file are reported at once (struct error's next), each as file:line:column with what to do.
 *
 *         struct projects all = PROJECTS_INIT;
 *         projects_read(&all, err);                 // $XDG_CONFIG_HOME/machine/projects.toml; a missing file is empty
 *         projects_find(&all, "blog");
 */
#pragma once

#include "lib/error.h"
#include "lib/event.h"
#include "lib/strv.h"

struct project_place {
        unsigned line, column;
};

struct project_port {
        uint16_t host, guest;
        unsigned line, column;
};

/* One `repos` entry: a URL that the guest clones, or "." (the checkout itself, pushed in by the host). */
struct project_repo {
        char *url;  /* checked by repo_url_check(); "." for the checkout */
        char *name; /* folder below ~/code; unique within the project */
        unsigned line, column;
};

/* An entry of [NAME.secrets]: a variable, and where it comes from (secret-source.h). */
struct project_secret {
        char *name, *source;
        unsigned line, column;
};

struct project {
        char *name;
        char *file;            /* the file it was read from; NULL = built in ("default" without a table) */
        unsigned line, column; /* of its table; in a .machine.toml of its `name`, else its first key, else 1:1 */
        char *checkout;        /* folder of .machine.toml (absolute, resolved); NULL for projects.toml */
        struct project_repo *repos;
        size_t repo_count;
        bool repos_given, profiles_given; /* written out by the user, even as []? */
        struct strv profiles;
        struct project_place *profile_places; /* of each, in `profiles_file` */
        char *profiles_file;                  /* NULL = in no file */
        char *park_after;                     /* "30m": idle for how long before it is parked; "never" */
        char *wake_on;                        /* "local", "any": what wakes it, whose bytes */
        char *egress;                         /* "open", "allow", "none" */
        struct strv allow;                    /* what "allow" lets it reach, as it was written (config/egress.h) */
        struct strv keys;                     /* the keys of the lent agent that may be used; empty = all */
        struct strv key_hosts;                /* where they may log in, as it was written (config/key-hosts.h) */
        struct strv setup;                    /* shell commands for the first repo after its first clone … */
        bool setup_given;                     /* … written out, even as []? Otherwise each repo's lock files say it */
        char *shell;                          /* "zsh" or "bash" */
        char *engine;                         /* "auto", or one of project_set_engines() */
        char *image, *image_digest;           /* what the VM is made from; NULL = the base image */
        bool forward_agent;
        bool confirm;         /* ask before each use of a lent key */
        bool lan, lan_given;  /* written out by the user? */
        bool weaker_line;     /* accept an engine that can't enforce what is asked for */
        bool cold;            /* booted, never restored from a warm template */
        int64_t cpus;         /* 1..256, default 4 or the host's count when that is less */
        int64_t memory_bytes; /* 512 MiB..4 TiB, default 4 GiB */
        int64_t disk_bytes;   /* 4 GiB..64 TiB, default 30 GiB */
        struct project_port *ports;
        size_t port_count;
        /* Never from a checkout: a repo may not say what this computer reads. */
        struct project_secret *secrets;
        size_t secret_count;
        struct error *mistakes;   /* in its table; only projects_read_apart() leaves them here */
        struct strv environments; /* IDs of 1Password Environments, for `use op_env ID` in a repo's .envrc */
};

#define PROJECT_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void project_clear(struct project *project);
/* Makes a separate copy of everything in `from`. Clears `out` first. */
void project_copy(struct project *out, const struct project *from);

struct projects {
        char *file;            /* set even if it isn't there */
        char *default_profile; /* NULL = none */
        struct project_place default_profile_place;
        char *default_shell;
        struct project *items;
        size_t count;
        bool apart; /* a project's mistakes are its own, and don't fail the whole */
};

#define PROJECTS_INIT                                                                                                          \
        {                                                                                                                      \
                0                                                                                                              \
        }
void projects_clear(struct projects *projects);

/* The user's projects.toml; a missing one is success and empty. */
int projects_read(struct projects *out, struct error **err);
/*
 * The same for commands about one project: mistakes in another one's table don't stop them. Each project then has its own
 * `mistakes`, and what is read of such a project is not used. Other mistakes fail it all the same.
 */
int projects_read_apart(struct projects *out, struct error **err);
/* Warns of each project that has mistakes, except the one called `but` (may be NULL). */
void projects_warn(const struct projects *projects, const char *but, struct event_sink *events);
/* From a text, for tests and the fuzzer. */
int projects_parse(const char *text, size_t length, const char *file, struct projects *out, struct error **err);
const struct project *projects_find(const struct projects *projects, const char *name);
#define PROJECT_ENGINES_MOST 8
/*
 * Sets which engines may be named, besides "auto": NULL-ended, kept by the caller. Called once by main; until then there are
 * none.
 */
void project_set_engines(const char *const *names);

#define PROJECT_DEFAULT_NAME "default"
/*
 * The built-in project for a bare `up` when there is neither a table nor a checkout: no repos, all defaults. `projects` may be
 * NULL.
 */
int project_default(struct project *out, const char *name, const struct projects *projects, struct error **err);

#define PROJECTS_OWNER "projects.toml" /* as the owner of a VM; a checkout's VM is owned by its folder */
/* Fails with ERROR_USAGE when that can't be the name of a `what`: "project" or "profile". */
int project_check_name(const char *name, const char *what, struct error **err);
/*
 * Decides whether `wanted` may have the VM of its name. `owner` is that VM's owner; NULL = there is no such VM yet.
 * A checkout may not take the VM of another folder or of projects.toml, nor a name that has a table there. A table may not take
 * a checkout's VM. Pure.
 */
int project_claim_check(const struct project *wanted, const char *owner, const struct projects *projects, struct error **err);

/* The commented example that `machine init` writes is shipped as "projects.toml" (paths_shipped). */
