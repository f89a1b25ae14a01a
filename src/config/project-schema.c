#include "config/project-schema.h"
#include "config/repo-url.h"

#include <inttypes.h>
#include <unistd.h>

#include "config/egress.h"
#include "config/key-hosts.h"
#include "config/park.h"
#include "config/project-image.h"
#include "config/secret-source.h"
#include "host/agent.h"
#include "lib/file.h"
#include "lib/text.h"

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)
#define TIB (INT64_C(1) << 40)

#define CPUS_MOST    256
#define CPUS_DEFAULT 4
#define LIST_MOST    64

static const char *const shells[] = { "zsh", "bash", NULL };
static const char *engines[PROJECT_ENGINES_MOST + 2] = { "auto", NULL };

static const char name_rule[] =
        "names have a-z, 0-9 and '-', start and end with a letter or digit, and have at most 40 characters";

void project_set_engines(const char *const *names)
{
        size_t count = 1;

        for (; *names && count <= PROJECT_ENGINES_MOST; names++)
                engines[count++] = *names;
        engines[count] = NULL;
}

void project_set_defaults(struct project *project, const char *file)
{
        long processors = sysconf(_SC_NPROCESSORS_ONLN);

        project->file = xstrdup(file);
        project->cpus = processors >= 1 && processors < CPUS_DEFAULT ? processors : CPUS_DEFAULT;
        project->memory_bytes = 4 * GIB;
        project->disk_bytes = 30 * GIB;
        project->engine = xstrdup("auto");
        project->egress = xstrdup("open");
        project->park_after = xstrdup(PARK_AFTER_DEFAULT);
        project->wake_on = xstrdup(WAKE_LOCAL);
}

static void project_add_profile(struct project *project, const char *name, const char *file, struct project_place place)
{
        strv_add(&project->profiles, name);
        project->profile_places =
                xreallocarray(project->profile_places, project->profiles.count, sizeof(*project->profile_places));
        project->profile_places[project->profiles.count - 1] = place;
        set_string(&project->profiles_file, xstrdup(file));
}

void project_inherit(struct project *project, const struct projects *projects)
{
        if (!project->shell)
                project->shell = xstrdup(projects && projects->default_shell ? projects->default_shell : shells[0]);
        if (!project->profiles_given && projects && projects->default_profile)
                project_add_profile(project, projects->default_profile, projects->file, projects->default_profile_place);
}

static int check_profile(const char *text, struct error **err)
{
        if (text_name_valid(text))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' can't be a profile's name", text);
        return error_hint(err, "%s", name_rule);
}

static void decode_profile(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        struct project *project = object;

        if (value->type != TOML_STRING)
                schema_mistake(reader, value->line, value->column, "an item of '%s' must be a string, not %s", key->name,
                               toml_type_name(value->type));
        else if (!schema_check_text(reader, key, value))
                return;
        else if (strv_contains(&project->profiles, value->string))
                schema_mistake(reader, value->line, value->column, "'%s' is in '%s' twice", value->string, key->name);
        else
                project_add_profile(project, value->string, project->file,
                                    (struct project_place){ value->line, value->column });
}

static void decode_default_profile(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                                   void *object)
{
        struct projects *projects = object;

        projects->default_profile_place = (struct project_place){ value->line, value->column };
        if (value->type != TOML_STRING)
                schema_wrong_type(reader, key, value, "a string");
        else if (schema_check_text(reader, key, value))
                set_string(&projects->default_profile, xstrdup(value->string));
}

static int check_name(const char *text, struct error **err)
{
        _cleanup_(freep) char *near = text_name_valid(text) ? NULL : text_name_from(text);

        if (text_name_valid(text))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' can't be a project's name", text);
        return near ? error_hint(err, "call it '%s': %s", near, name_rule) : error_hint(err, "%s", name_rule);
}

static void decode_repo(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                        void *object)
{
        struct project *project = object;
        _cleanup_(freep) char *name = NULL;
        struct error *error = NULL;

        if (value->type != TOML_STRING) {
                schema_mistake(reader, value->line, value->column, "an item of 'repos' must be a string, not %s",
                               toml_type_name(value->type));
                return;
        }
        if (streq(value->string, ".")) {
                /* It gets its name when everything is read, because that may come from the project's name. */
                if (project->checkout)
                        project_add_repo(project, ".", NULL, value->line, value->column);
                else {
                        schema_mistake(reader, value->line, value->column,
                                       "'.' stands for the checkout, and there is none here");
                        schema_hint(reader, "write the repo's URL, or repos = [\".\"] in a .machine.toml");
                }
                return;
        }
        if (repo_url_check(value->string, NULL, &error) < 0) {
                schema_adopt(reader, value->line, value->column, error);
                return;
        }
        name = repo_url_name(value->string);
        if (name) {
                project_add_repo(project, value->string, name, value->line, value->column);
        } else {
                schema_mistake(reader, value->line, value->column, "'%s' gives no folder name for a clone", value->string);
                schema_hint(
                        reader,
                        "its last part must begin with a letter or digit, and have only letters, digits and . _ + %% @ , = -");
        }
}

static void decode_port(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                        void *object)
{
        struct project *project = object;
        int64_t host = 0;
        int64_t guest = 0;

        if (value->type == TOML_INTEGER) {
                host = guest = value->integer;
        } else if (value->type == TOML_STRING) {
                _cleanup_(freep) char *front = xstrndup(value->string, strcspn(value->string, ":"));
                const char *behind = value->string + strlen(front);

                if (*behind != ':' || text_parse_int(front, 1, UINT16_MAX, &host) < 0 ||
                    text_parse_int(behind + 1, 1, UINT16_MAX, &guest) < 0) {
                        schema_mistake(reader, value->line, value->column, "'%s' is not a pair of ports", value->string);
                        schema_hint(reader, "write 3000, or \"8080:80\" for the host's port 8080 and the guest's port 80");
                        return;
                }
        } else {
                schema_mistake(reader, value->line, value->column,
                               "an item of 'ports' must be a whole number or a string, not %s", toml_type_name(value->type));
                return;
        }
        if (host < 1 || host > UINT16_MAX) {
                schema_mistake(reader, value->line, value->column, "a port must be between 1 and 65535, not %" PRId64, host);
                return;
        }
        for (size_t i = 0; i < project->port_count; i++)
                if (project->ports[i].host == host) {
                        schema_mistake(reader, value->line, value->column, "the host's port %" PRId64 " is in 'ports' twice",
                                       host);
                        schema_hint(reader, "give the guest's port another one on the host: \"%" PRId64 ":%" PRId64 "\"",
                                    host < UINT16_MAX ? host + 1 : host - 1, guest);
                        return;
                }
        project->ports = xreallocarray(project->ports, project->port_count + 1, sizeof(*project->ports));
        project->ports[project->port_count++] = (struct project_port){
                .host = (uint16_t)host,
                .guest = (uint16_t)guest,
                .line = value->line,
                .column = value->column,
        };
}

static int check_key(const char *text, struct error **err)
{
        _cleanup_(freep) char *option = NULL;

        if (!*text || text[strcspn(text, "\r\n\t")]) {
                error_set(err, ERROR_CONFIG, "a key's name is empty, or has a tab or a line end");
                return error_hint(err, "write \"SHA256:…\" as ssh-add -l prints it, the path of its .pub file, or its comment");
        }
        option = agent_key_option(text, err);
        return option ? 0 : -1;
}

/* Also refuses two clones in one folder: the second would count as already there. */
static void finish_project(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        struct project *project = object;

        project_image_finish(reader, table, project);
        if (project->allow.count > 0 && !streq(project->egress, "allow")) {
                const struct toml_member *allow = toml_get(table, "allow");

                schema_mistake(reader, allow ? allow->line : table->line, allow ? allow->column : table->column,
                               "'allow' has no effect unless egress = \"allow\"");
                schema_hint(reader, "add that, or take 'allow' out");
        }
        for (size_t i = 0; i < project->repo_count; i++) {
                struct project_repo *repo = &project->repos[i];

                if (!repo->name)
                        repo->name = repo_checkout_name(project->checkout, project->name);
                for (size_t j = 0; j < i; j++) {
                        if (!streq(repo->name, project->repos[j].name))
                                continue;
                        schema_mistake(reader, repo->line, repo->column,
                                       "'%s' and '%s' would both become the folder '~/code/%s'", project->repos[j].url,
                                       repo->url, repo->name);
                        schema_hint(reader, "take one of them out");
                        break;
                }
        }
}

static const struct schema_key project_keys[] = {
        {
                .name = "repos",
                .type = SCHEMA_ARRAY,
                .given = offsetof(struct project, repos_given),
                .decode = decode_repo,
                .high = LIST_MOST,
                .items = "URLs",
                .fallback = "none; in `.machine.toml` the checkout's git origin, else `[\".\"]`",
                .summary = "what is cloned into `~/code`; the first is where sessions begin",
        },
        {
                .name = "profiles",
                .type = SCHEMA_ARRAY,
                .given = offsetof(struct project, profiles_given),
                .high = LIST_MOST,
                .check = check_profile,
                .decode = decode_profile,
                .items = "names",
                .fallback = "`default_profile`",
                .summary = "names of profiles, in this order; `[]` for none",
        },
        {
                .name = "setup",
                .type = SCHEMA_STRINGS,
                .offset = offsetof(struct project, setup),
                .given = offsetof(struct project, setup_given),
                .high = LIST_MOST,
                .items = "shell commands",
                .fallback = "each repo's lock files",
                .summary = "run once in the first repo, after its first clone; `[]` for nothing",
        },
        {
                .name = "shell",
                .type = SCHEMA_CHOICE,
                .offset = offsetof(struct project, shell),
                .choices = shells,
                .fallback = "`default_shell`",
                .summary = "login shell of the guest's user",
        },
        {
                .name = "forward_agent",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct project, forward_agent),
                .fallback = "`false`",
                .summary = "lend the ssh agent to the guest while a session is open",
        },
        {
                .name = "keys",
                .type = SCHEMA_STRINGS,
                .offset = offsetof(struct project, keys),
                .check = check_key,
                .high = LIST_MOST,
                .items = "keys",
                .fallback = "those that the project needs, else all",
                .summary = "which keys of the lent agent: `SHA256:…`, the file of a public key, or a key's comment",
        },
        {
                .name = "key_hosts",
                .type = SCHEMA_STRINGS,
                .offset = offsetof(struct project, key_hosts),
                .check = key_hosts_check,
                .high = LIST_MOST,
                .items = "hosts",
                .fallback = "everywhere",
                .summary = "where a key may log in: `HOST`, `HOST:PORT`, `@git` for the repos' hosts",
        },
        {
                .name = "confirm",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct project, confirm),
                .fallback = "`false`",
                .summary = "ask at this computer before each use of a key",
        },
        {
                .name = "cpus",
                .type = SCHEMA_INTEGER,
                .offset = offsetof(struct project, cpus),
                .low = 1,
                .high = CPUS_MOST,
                .fallback = "4, or as many as the host has",
                .summary = "processors",
        },
        {
                .name = "memory",
                .type = SCHEMA_SIZE,
                .offset = offsetof(struct project, memory_bytes),
                .low = 512 * MIB,
                .high = 4 * TIB,
                .fallback = "4 GiB",
                .summary = "memory the guest sees",
        },
        {
                .name = "disk",
                .type = SCHEMA_SIZE,
                .offset = offsetof(struct project, disk_bytes),
                .low = 4 * GIB,
                .high = 64 * TIB,
                .fallback = "30 GiB",
                .summary = "disk the guest sees; the host's disk fills as it is used",
        },
        {
                .name = "engine",
                .type = SCHEMA_CHOICE,
                .offset = offsetof(struct project, engine),
                .choices = engines,
                .fallback = "`auto`",
                .summary = "what runs the VM; an existing VM keeps its engine",
        },
        {
                .name = "image",
                .type = SCHEMA_STRING,
                .offset = offsetof(struct project, image),
                .check = project_image_check,
                .fallback = "the engine's own",
                .summary = "path or `https` URL of a Debian cloud image to make the VM from, with an engine that takes one",
        },
        {
                .name = "image_digest",
                .type = SCHEMA_STRING,
                .offset = offsetof(struct project, image_digest),
                .check = project_digest_check,
                .fallback = "not checked; a URL must have one",
                .summary = "`sha256:…` or `sha512:…` of that image",
        },
        {
                .name = "ports",
                .type = SCHEMA_ARRAY,
                .decode = decode_port,
                .high = LIST_MOST,
                .items = "ports",
                .fallback = "none",
                .summary = "guest ports that are also on the host's 127.0.0.1",
        },
        {
                .name = "lan",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct project, lan),
                .given = offsetof(struct project, lan_given),
                .fallback = "`false`",
                .summary = "whether the guest may reach private addresses (the network around the host)",
        },
        {
                .name = "egress",
                .type = SCHEMA_CHOICE,
                .offset = offsetof(struct project, egress),
                .choices = egress_modes,
                .fallback = "`open`",
                .summary = "what else the guest may reach",
        },
        {
                .name = "allow",
                .type = SCHEMA_STRINGS,
                .offset = offsetof(struct project, allow),
                .check = egress_check,
                .high = LIST_MOST,
                .items = "rules",
                .fallback = "none",
                .summary =
                        "for `egress = \"allow\"`: names, `*.` for the names below one, addresses, `:PORT`; `@git`, `@npm` …",
        },
        {
                .name = "weaker_line",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct project, weaker_line),
                .fallback = "`false`",
                .summary = "accept an engine that can't enforce a `lan = false` or `egress` written here",
        },
        {
                .name = "cold",
                .type = SCHEMA_BOOL,
                .offset = offsetof(struct project, cold),
                .fallback = "`false`",
                .summary = "boot a new VM instead of restoring it from a warm template",
        },
        {
                .name = "park_after",
                .type = SCHEMA_STRING,
                .offset = offsetof(struct project, park_after),
                .check = park_check,
                .fallback = "`30m`",
                .summary = "how long a VM is idle before it is parked: `90s`, `30m`, `2h`, or `never`",
        },
        {
                .name = "wake_on",
                .type = SCHEMA_CHOICE,
                .offset = offsetof(struct project, wake_on),
                .choices = park_wakes,
                .fallback = "`local`",
                .summary = "what wakes a parked VM: this computer (`local`), or also what a server sends to it (`any`)",
        },
        { 0 },
};

const struct schema project_schema = { .keys = project_keys, .finish = finish_project };

/* --- what only projects.toml may say */

static int check_environment(const char *text, struct error **err)
{
        if (secret_environment_valid(text))
                return 0;
        error_set(err, ERROR_CONFIG, "'%s' is not the ID of a 1Password Environment", text);
        return error_hint(err, "the app copies it: View environments, Manage environment, Copy environment ID");
}

static void decode_secret(struct schema_reader *reader, const struct toml_member *member, struct project *project)
{
        _cleanup_(secret_source_clear) struct secret_source source = SECRET_SOURCE_INIT;
        struct error *error = NULL;

        if (!secret_name_valid(member->key)) {
                schema_mistake(reader, member->line, member->column, "'%s' can't be the name of a secret", member->key);
                schema_hint(reader, "it becomes a variable of the environment: letters, digits and _");
                return;
        }
        if (member->value.type != TOML_STRING) {
                schema_mistake(reader, member->value.line, member->value.column, "the source of '%s' must be a string, not %s",
                               member->key, toml_type_name(member->value.type));
                return;
        }
        if (secret_source_parse(member->value.string, "/", &source, &error) < 0) {
                schema_adopt(reader, member->value.line, member->value.column, error);
                return;
        }
        project->secrets = xreallocarray(project->secrets, project->secret_count + 1, sizeof(*project->secrets));
        project->secrets[project->secret_count++] = (struct project_secret){
                .name = xstrdup(member->key),
                .source = xstrdup(member->value.string),
                .line = member->value.line,
                .column = member->value.column,
        };
}

static void decode_secrets(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                           void *object)
{
        if (value->type != TOML_TABLE) {
                schema_wrong_type(reader, key, value, "a table");
                return;
        }
        for (size_t i = 0; i < value->member_count; i++)
                decode_secret(reader, &value->members[i], object);
}

static const struct schema_key own_keys[] = {
        {
                .name = "secrets",
                .type = SCHEMA_CUSTOM,
                .decode = decode_secrets,
                .items = "table of texts",
                .fallback = "none",
                .summary = "variables for the guest's memory, and where this computer gets each: `KEY = \"op://…\"`",
        },
        {
                .name = "op_env",
                .type = SCHEMA_STRINGS,
                .offset = offsetof(struct project, environments),
                .check = check_environment,
                .high = LIST_MOST,
                .items = "IDs",
                .fallback = "none",
                .summary = "1Password Environments that a repo's `.envrc` may load by `use op_env ID`",
        },
        { 0 },
};

const struct schema table_schema = { .keys = own_keys, .base = &project_schema };

static const struct schema_key checkout_keys[] = {
        {
                .name = "name",
                .type = SCHEMA_STRING,
                .offset = offsetof(struct project, name),
                .check = check_name,
                .fallback = "the folder's name",
                .summary = "name of the project and its VM",
        },
        { 0 },
};

/* A key that only projects.toml may have is not an unknown key. */
static void refuse_own(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                       void *object)
{
        if (!schema_find(&table_schema, member->key)) {
                schema_unknown(reader, schema, member);
                return;
        }
        schema_mistake(reader, member->line, member->column,
                       "'%s' is only allowed in projects.toml: a repo may not say what this computer reads", member->key);
        schema_hint(reader, "put it into your projects.toml, below a [NAME] of the same repos");
}

const struct schema checkout_schema = { .keys = checkout_keys, .base = &project_schema, .other = refuse_own };

/* Decodes a member of projects.toml's top that is not a key: a project's table, or a mistake. */
static void decode_project(struct schema_reader *reader, const struct schema *schema, const struct toml_member *member,
                           void *object)
{
        struct projects *projects = object;
        struct error *error = NULL;
        struct project *project;
        size_t mark;

        if (member->value.type != TOML_TABLE) {
                schema_unknown(reader, schema, member);
                if (schema_find(&table_schema, member->key))
                        schema_hint(reader, "put it below the [NAME] of a project");
                else if (member->value.type == TOML_ARRAY && text_name_valid(member->key))
                        schema_hint(reader, "a project is a table, written [%s]", member->key);
                return;
        }
        mark = schema_mark(reader);
        if (check_name(member->key, &error) < 0)
                schema_adopt(reader, member->line, member->column, error);
        projects->items = xreallocarray(projects->items, projects->count + 1, sizeof(*projects->items));
        project = &projects->items[projects->count++];
        *project = (struct project)PROJECT_INIT;
        project_set_defaults(project, projects->file);
        project->name = xstrdup(member->key);
        project->line = member->line;
        project->column = member->column;
        schema_decode_table(reader, &table_schema, &member->value, project);
        if (projects->apart)
                project->mistakes = schema_take(reader, mark);
}

/* The defaults may come after the projects that inherit them, in inline tables. */
static void finish_projects(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        struct projects *projects = object;

        for (size_t i = 0; i < projects->count; i++)
                project_inherit(&projects->items[i], projects);
}

static const struct schema_key projects_keys[] = {
        {
                .name = "default_profile",
                .type = SCHEMA_CUSTOM,
                .check = check_profile,
                .decode = decode_default_profile,
                .items = "text",
                .fallback = "none",
                .summary = "profile of projects that have no `profiles`",
        },
        {
                .name = "default_shell",
                .type = SCHEMA_CHOICE,
                .offset = offsetof(struct projects, default_shell),
                .choices = shells,
                .fallback = "`zsh`",
                .summary = "shell of projects that have no `shell`",
        },
        { 0 },
};

const struct schema projects_schema = { .keys = projects_keys, .other = decode_project, .finish = finish_projects };
