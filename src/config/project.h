/*
 * What the user wants: projects.toml and .machine.toml, decoded by one schema table each. Every mistake in a file is
 * reported at once (struct error's next), each as file:line:column with what to do.
 *
 *         struct projects all = PROJECTS_INIT;
 *         projects_read(&all, err);                 // $XDG_CONFIG_HOME/machine/projects.toml; a missing file is empty
 *         projects_find(&all, "blog");
 *         checkout_find(cwd, &checkout, err);       // .machine.toml, upwards from there
 */
#pragma once

#include "lib/error.h"
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
        char *file;            /* it was read from; NULL = built in ("default" without a table) */
        unsigned line, column; /* of its table; in a .machine.toml of its `name`, else its first key, else 1:1 */
        char *checkout;        /* folder of .machine.toml (absolute, resolved); NULL for projects.toml */
        struct project_repo *repos;
        size_t repo_count;
        bool repos_given, profiles_given; /* written out by the user, even as []? */
        struct strv profiles;
        struct project_place *profile_places; /* of each, in `profiles_file` */
        char *profiles_file;                  /* NULL = in no file */
        char *egress;                         /* "open", "allow", "none" */
        struct strv allow;                    /* what may be reached by "allow", as it was written (config/egress.h) */
        struct strv keys;                     /* of the lent agent those that may be used; empty = all */
        struct strv key_hosts;                /* where to they may log in, as it was written (config/key-hosts.h) */
        struct strv setup;                    /* shell commands for the first repo after its first clone … */
        bool setup_given;                     /* … written out, even as []? Otherwise each repo's lock files say it */
        char *shell;                          /* "zsh" or "bash" */
        char *engine;                         /* "auto", "qemu", "lima" */
        char *image, *image_digest;           /* what the VM is made from instead of the base image; NULL = that */
        bool forward_agent;
        bool confirm;         /* each use of a lent key */
        bool lan, lan_given;  /* written out by the user? */
        bool weaker_line;     /* make do with an engine that can't hold what is asked for */
        bool cold;            /* booted, never restored from a warm template */
        int64_t cpus;         /* 1..256, default 4 or the host's count when that is less */
        int64_t memory_bytes; /* 512 MiB..4 TiB, default 4 GiB */
        int64_t disk_bytes;   /* 4 GiB..64 TiB, default 30 GiB */
        struct project_port *ports;
        size_t port_count;
        /* Never of a checkout: it is not for a repo to say what this computer reads. */
        struct project_secret *secrets;
        size_t secret_count;
        struct strv environments; /* IDs of 1Password Environments, for `use op_env ID` in a repo's .envrc */
};

#define PROJECT_INIT                                                                                                           \
        {                                                                                                                      \
                0                                                                                                              \
        }
void project_clear(struct project *project);
/* A copy of its own of all that `from` has. `out` is cleared first. */
void project_copy(struct project *out, const struct project *from);

struct projects {
        char *file;            /* also when it isn't there */
        char *default_profile; /* NULL = none */
        struct project_place default_profile_place;
        char *default_shell;
        struct project *items;
        size_t count;
};

#define PROJECTS_INIT                                                                                                          \
        {                                                                                                                      \
                0                                                                                                              \
        }
void projects_clear(struct projects *projects);

/* The user's projects.toml; a missing one is success and empty. */
int projects_read(struct projects *out, struct error **err);
/* From a text, for tests and the fuzzer. */
int projects_parse(const char *text, size_t length, const char *file, struct projects *out, struct error **err);
const struct project *projects_find(const struct projects *projects, const char *name);
#define PROJECT_DEFAULT_NAME "default"
/* The built-in project for a bare `up` where there is neither a table nor a checkout: no repos, all defaults. `projects` may be
 * NULL. */
int project_default(struct project *out, const char *name, const struct projects *projects, struct error **err);

#define PROJECTS_OWNER "projects.toml" /* as owner of a VM; a checkout's is its folder */
/*
 * May `wanted` have the VM of its name? `owner` is who has it (NULL = there is no such VM yet). A checkout can't take a VM of
 * another folder or of projects.toml, nor a name that is a table there; a table can't take a checkout's VM. Pure.
 */
int project_claim_check(const struct project *wanted, const char *owner, const struct projects *projects, struct error **err);

/*
 * Folder (absolute, resolved) of the nearest .machine.toml at or above `folder`, or NULL when there is none. Doesn't look
 * above $HOME for folders in there. Owned by the caller.
 */
char *checkout_find(const char *folder);
/*
 * Reads CHECKOUT/.machine.toml (keys of a project table, flat, plus name). Defaults: name from the folder; repos from git's
 * origin there, "." where that is none or a folder of the host; shell and profiles from `projects` (NULL = built-in ones).
 * Trust is not asked here.
 */
int checkout_read(const char *checkout, const struct projects *projects, struct project *out, struct error **err);
/* The same from a text, for tests and the fuzzer. git isn't asked: without `repos` there are none. */
int checkout_parse(const char *text, size_t length, const char *file, const char *checkout, const struct projects *projects,
                   struct project *out, struct error **err);
/* Fills in the repos that a .machine.toml without `repos` has. */
int checkout_add_origin(struct project *project, struct error **err);

/*
 * May this go to git as a URL? https://, ssh://, git+ssh://, user@host:path, host:path, git:// and (only with
 * MACHINE_ALLOW_FILE_URLS, for tests) file://. Never a leading dash (also of host or user), control characters, white
 * space, "::" transports, or a NUL. On success host (without user and port) is given, owned by the caller; may be NULL.
 */
int repo_url_check(const char *url, char **host, struct error **err);
/* The folder name a clone gets: last segment without .git and trailing slashes. NULL when nothing usable is left. */
char *repo_url_name(const char *url);
/* The folder name that the checkout itself gets (`repos = ["."]`): its own, else `project` (may be NULL). Owned by the caller.
 */
char *repo_checkout_name(const char *checkout, const char *project);

/* The commented example that `machine init` writes is shipped as "projects.toml" (paths_shipped). */
