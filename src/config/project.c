#include "config/project.h"

#include "config/project-schema.h"
#include "host/paths.h"
#include "lib/file.h"
#include "lib/text.h"

#define FILE_MOST (1 << 20)

void project_clear(struct project *project)
{
        if (!project)
                return;
        for (size_t i = 0; i < project->repo_count; i++) {
                free(project->repos[i].url);
                free(project->repos[i].name);
        }
        free(project->name);
        free(project->file);
        free(project->checkout);
        free(project->repos);
        strv_clear(&project->profiles);
        strv_clear(&project->setup);
        strv_clear(&project->keys);
        strv_clear(&project->key_hosts);
        for (size_t i = 0; i < project->secret_count; i++) {
                free(project->secrets[i].name);
                free(project->secrets[i].source);
        }
        free(project->secrets);
        strv_clear(&project->environments);
        free(project->profile_places);
        free(project->profiles_file);
        free(project->shell);
        free(project->engine);
        free(project->park_after);
        free(project->wake_on);
        free(project->egress);
        strv_clear(&project->allow);
        free(project->image);
        free(project->image_digest);
        free(project->ports);
        error_free(project->mistakes);
        *project = (struct project)PROJECT_INIT;
}

void project_copy(struct project *out, const struct project *from)
{
        project_clear(out);
        *out = *from;
        out->mistakes = NULL;
        out->name = xstrdup(from->name);
        out->file = xstrdup(from->file);
        out->checkout = xstrdup(from->checkout);
        out->shell = xstrdup(from->shell);
        out->engine = xstrdup(from->engine);
        out->park_after = xstrdup(from->park_after);
        out->wake_on = xstrdup(from->wake_on);
        out->egress = xstrdup(from->egress);
        out->allow = (struct strv)STRV_INIT;
        strv_add_all(&out->allow, &from->allow);
        out->image = xstrdup(from->image);
        out->image_digest = xstrdup(from->image_digest);
        out->ports = from->port_count > 0 ? xmemdup(from->ports, from->port_count * sizeof(*from->ports)) : NULL;
        out->profiles = (struct strv)STRV_INIT;
        strv_add_all(&out->profiles, &from->profiles);
        out->secrets = xcalloc(from->secret_count + 1, sizeof(*out->secrets));
        for (size_t i = 0; i < from->secret_count; i++) {
                out->secrets[i] = from->secrets[i];
                out->secrets[i].name = xstrdup(from->secrets[i].name);
                out->secrets[i].source = xstrdup(from->secrets[i].source);
        }
        out->environments = (struct strv)STRV_INIT;
        strv_add_all(&out->environments, &from->environments);
        out->keys = (struct strv)STRV_INIT;
        strv_add_all(&out->keys, &from->keys);
        out->key_hosts = (struct strv)STRV_INIT;
        strv_add_all(&out->key_hosts, &from->key_hosts);
        out->setup = (struct strv)STRV_INIT;
        strv_add_all(&out->setup, &from->setup);
        out->profile_places = from->profile_places
                                      ? xmemdup(from->profile_places, from->profiles.count * sizeof(*from->profile_places))
                                      : NULL;
        out->profiles_file = xstrdup(from->profiles_file);
        out->repos = NULL;
        out->repo_count = 0;
        for (size_t i = 0; i < from->repo_count; i++)
                project_add_repo(out, from->repos[i].url, from->repos[i].name, from->repos[i].line, from->repos[i].column);
}

void projects_clear(struct projects *projects)
{
        if (!projects)
                return;
        for (size_t i = 0; i < projects->count; i++)
                project_clear(&projects->items[i]);
        free(projects->items);
        free(projects->file);
        free(projects->default_profile);
        free(projects->default_shell);
        *projects = (struct projects)PROJECTS_INIT;
}

static int parse(const char *text, size_t length, const char *file, bool apart, struct projects *out, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(projects_clear) struct projects projects = { .file = xstrdup(file), .apart = apart };

        if (!root || schema_decode(&projects_schema, root, file, &projects, err) < 0)
                return -1;
        *out = projects;
        projects = (struct projects)PROJECTS_INIT;
        return 0;
}

int projects_parse(const char *text, size_t length, const char *file, struct projects *out, struct error **err)
{
        return parse(text, length, file, false, out, err);
}

int config_file_read(const char *file, struct strbuf *text, struct error **err)
{
        _cleanup_(error_freep) struct error *error = NULL;

        if (file_read(file, FILE_MOST, text, &error) == 0 || error->kind == ERROR_NOT_FOUND)
                return 0;
        error_set_kind(&error, ERROR_CONFIG);
        if (err) {
                error_free(*err);
                *err = TAKE_PTR(error);
        }
        return -1;
}

static int read_file(bool apart, struct projects *out, struct error **err)
{
        _cleanup_(freep) char *file = paths_config("projects.toml");
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        if (config_file_read(file, &text, err) < 0)
                return -1;
        return parse(text.buf, text.len, file, apart, out, err);
}

int projects_read(struct projects *out, struct error **err)
{
        return read_file(false, out, err);
}

int projects_read_apart(struct projects *out, struct error **err)
{
        return read_file(true, out, err);
}

void projects_warn(const struct projects *projects, const char *but, struct event_sink *events)
{
        for (size_t i = 0; i < projects->count; i++)
                if (projects->items[i].mistakes && !streq_ptr(but, projects->items[i].name))
                        event_warning(events, "project '%s' has mistakes in '%s', so it can't be used: machine validate",
                                      projects->items[i].name, projects->file);
}

const struct project *projects_find(const struct projects *projects, const char *name)
{
        for (size_t i = 0; i < projects->count; i++)
                if (streq(projects->items[i].name, name))
                        return &projects->items[i];
        return NULL;
}

int project_default(struct project *out, const char *name, const struct projects *projects, struct error **err)
{
        if (!text_name_valid(name))
                return error_set(err, ERROR_USAGE, "'%s' can't be a project's name", name);
        project_clear(out);
        project_set_defaults(out, NULL);
        out->name = xstrdup(name);
        project_inherit(out, projects);
        return 0;
}

/* Refuses a name that belongs to somebody else: says where it was chosen, and what to do. */
static int refuse_checkout(const struct project *wanted, const char *owner, struct error **err)
{
        error_at(err, wanted->file, wanted->line, wanted->column, "the name '%s' belongs to %s", wanted->name, owner);
        return error_hint(err, "set another 'name' in '%s'", wanted->file);
}

static int claim_for_checkout(const struct project *wanted, const char *owner, const struct projects *projects,
                              struct error **err)
{
        _cleanup_(freep) char *table =
                xasprintf("[%s] in '%s'", wanted->name, projects && projects->file ? projects->file : PROJECTS_OWNER);
        _cleanup_(freep) char *vm = NULL;

        if (projects && projects_find(projects, wanted->name))
                return refuse_checkout(wanted, table, err);
        if (streq(wanted->name, PROJECT_DEFAULT_NAME))
                return refuse_checkout(wanted, "the VM that is used outside of all projects", err);
        if (!owner || streq(owner, wanted->checkout))
                return 0;
        vm = streq(owner, PROJECTS_OWNER) ? xstrdup("a VM of projects.toml") : xasprintf("the VM of '%s'", owner);
        return refuse_checkout(wanted, vm, err);
}

int project_check_name(const char *name, const char *what, struct error **err)
{
        if (text_name_valid(name))
                return 0;
        error_set(err, ERROR_USAGE, "'%s' can't be a %s's name", name, what);
        return error_hint(err, "names have a-z, 0-9 and '-', and start and end with a letter or digit");
}

int project_claim_check(const struct project *wanted, const char *owner, const struct projects *projects, struct error **err)
{
        if (wanted->checkout)
                return claim_for_checkout(wanted, owner, projects, err);
        if (!owner || streq(owner, PROJECTS_OWNER))
                return 0;
        if (!wanted->file) {
                error_set(err, ERROR_CONFIG, "the name '%s' belongs to the VM of '%s'", wanted->name, owner);
                return error_hint(err, "if that VM isn't needed any more: machine destroy %s", wanted->name);
        }
        error_at(err, wanted->file, wanted->line, wanted->column, "the name '%s' belongs to the VM of '%s'", wanted->name,
                 owner);
        return error_hint(err, "give the table another name, or, if that VM isn't needed any more: machine destroy %s",
                          wanted->name);
}

void project_add_repo(struct project *project, const char *url, const char *name, unsigned line, unsigned column)
{
        project->repos = xreallocarray(project->repos, project->repo_count + 1, sizeof(*project->repos));
        project->repos[project->repo_count++] = (struct project_repo){
                .url = xstrdup(url),
                .name = xstrdup(name),
                .line = line,
                .column = column,
        };
}
