/* .machine.toml: finding it, reading it, and where its checkout came from. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/checkout-tree.h"
#include "config/checkout.h"
#include "config/project-schema.h"
#include "config/repo-url.h"
#include "host/paths.h"
#include "host/repository.h"
#include "lib/file.h"
#include "lib/text.h"

#define FILE_MOST (1 << 20)

/* A pipe or a device of that name would be read for ever. A dangling symlink counts as there: reading it fails and says so. */
static bool is_there(const char *file)
{
        struct stat status;

        return stat(file, &status) == 0 ? S_ISREG(status.st_mode) : file_exists(file);
}

char *checkout_find(const char *folder)
{
        _cleanup_(freep) char *home_given = paths_home(NULL);
        _cleanup_(freep) char *home = realpath(home_given, NULL);
        _cleanup_(freep) char *at = realpath(folder, NULL);

        while (at) {
                _cleanup_(freep) char *file = path_join(at, CHECKOUT_FILE);

                if (is_there(file))
                        return TAKE_PTR(at);
                if (streq(at, "/") || streq_ptr(at, home))
                        return NULL;
                set_string(&at, path_folder(at));
        }
        return NULL;
}

char *checkout_trust_command(const char *checkout)
{
        const char *argv[] = { "machine", "trust", "--yes", NULL, NULL };
        _cleanup_(freep) char *current = getcwd(NULL, 0);
        _cleanup_(freep) char *here = current ? checkout_find(current) : NULL;

        if (!here || !streq(here, checkout))
                argv[3] = checkout;
        return text_shell_join(argv);
}

/* Sets the place that errors about the project as a whole point to. */
static void set_place(struct project *project, const struct toml_value *root)
{
        const struct toml_member *member = toml_get(root, "name");

        if (!member && root->member_count > 0)
                member = &root->members[0];
        project->line = member ? member->line : 1;
        project->column = member ? member->column : 1;
}

int checkout_parse(const char *text, size_t length, const char *file, const char *checkout, const struct projects *projects,
                   struct project *out, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, length, file, err);
        _cleanup_(project_clear) struct project project = { .checkout = xstrdup(checkout) };
        _cleanup_(freep) char *folder = path_base(checkout);

        if (!root)
                return -1;
        project_set_defaults(&project, file);
        set_place(&project, root);
        if (!toml_get(root, "name"))
                project.name = text_name_from(folder);
        if (schema_decode(&checkout_schema, root, file, &project, err) < 0)
                return -1;
        if (!project.name) {
                error_at(err, file, 1, 1, "no project name can be made from the folder's name '%s'", folder);
                return error_hint(err, "set 'name'");
        }
        project_inherit(&project, projects);
        *out = project;
        project = (struct project)PROJECT_INIT;
        return 0;
}

/* *origin becomes the URL of the remote "origin", or NULL where there is none. Owned by the caller. */
static int find_origin(const char *checkout, char **origin, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        int found = repository_open(checkout, &repository, err);

        if (found < 0) {
                error_wrap(err, "can't tell where '%s' came from", checkout);
                return error_hint(err, "set 'repos' in '%s/" CHECKOUT_FILE "'", checkout);
        }
        *origin = found ? xstrdup(repository_setting(&repository, "remote.origin.url")) : NULL;
        return 0;
}

/*
 * Is it a folder of the host, which a VM doesn't reach? By git's rule that is a path with a slash before any colon, or without
 * a colon.
 */
static bool is_folder(const char *origin)
{
        const char *colon = strchr(origin, ':');
        const char *slash = strchr(origin, '/');

        if (*origin == '-')
                return false;
        if (starts_with(origin, "file://"))
                return repo_url_check(origin, NULL, NULL) < 0;
        return !colon || (slash && slash < colon);
}

int checkout_add_origin(struct project *project, struct error **err)
{
        _cleanup_(freep) char *origin = NULL;
        _cleanup_(freep) char *name = NULL;

        if (find_origin(project->checkout, &origin, err) < 0)
                return -1;
        if (!origin || is_folder(origin)) {
                name = repo_checkout_name(project->checkout, project->name);
                project_add_repo(project, ".", name, project->line, project->column);
                return 0;
        }
        if (repo_url_check(origin, NULL, err) < 0) {
                error_wrap(err, "the git origin of '%s' can't be used", project->checkout);
                return error_hint(err, "set 'repos' in '%s'", project->file);
        }
        name = repo_url_name(origin);
        if (!name) {
                error_set(err, ERROR_CONFIG, "the git origin of '%s', '%s', gives no folder name for a clone",
                          project->checkout, origin);
                return error_hint(err, "set 'repos' in '%s'", project->file);
        }
        project_add_repo(project, origin, name, project->line, project->column);
        return 0;
}

int checkout_read(const char *checkout, const struct projects *projects, struct project *out, struct error **err)
{
        _cleanup_(freep) char *resolved = realpath(checkout, NULL);
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(freep) char *file = NULL;

        if (!resolved)
                return error_errno(err, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_FAILED, "cannot find '%s'", checkout);
        file = path_join(resolved, CHECKOUT_FILE);
        if (file_read(file, FILE_MOST, &text, err) < 0 ||
            checkout_parse(text.buf, text.len, file, resolved, projects, &project, err) < 0)
                return -1;
        if (!project.repos_given && checkout_add_origin(&project, err) < 0)
                return -1;
        *out = project;
        project = (struct project)PROJECT_INIT;
        return 0;
}
