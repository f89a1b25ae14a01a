#include "operation/starter.h"

#include "config/checkout-tree.h"
#include "config/checkout.h"
#include "config/recipe-place.h"
#include "config/trust.h"
#include "host/paths.h"
#include "host/repository.h"
#include "lib/file.h"
#include "lib/text.h"
#include "vm/vm.h"

#define NAME_MOST   40
#define NAMES_TRIED 100

/* Which profile a file at the top of a checkout speaks for. Several may speak for one, and not every profile is there. */
static const struct {
        const char *file, *profile;
} signs[] = {
        { "package.json", "node" },
        { "pyproject.toml", "python" },
        { "requirements.txt", "python" },
        { "setup.py", "python" },
        { "go.mod", "go" },
        { "Cargo.toml", "rust" },
        { "playwright.config.ts", "playwright" },
        { "playwright.config.js", "playwright" },
        { "playwright.config.mjs", "playwright" },
        { "cypress.config.ts", "cypress" },
        { "cypress.config.js", "cypress" },
};

void starter_clear(struct starter *starter)
{
        free(starter->folder);
        free(starter->file);
        free(starter->name);
        strv_clear(&starter->profiles);
        strv_clear(&starter->reasons);
        strbuf_clear(&starter->text);
        *starter = (struct starter)STARTER_INIT;
}

/* People keep their settings in a git checkout of the whole home folder. That isn't a project. */
static bool holds_home(const char *folder)
{
        _cleanup_(freep) char *given = paths_home(NULL);
        _cleanup_(freep) char *home = realpath(given, NULL);
        size_t length = strlen(folder);

        return streq(folder, "/") || (home && starts_with(home, folder) && (home[length] == '/' || home[length] == '\0'));
}

/* Finds the folder for the file, resolved. A repository that can't be used as one counts as none. */
static int find_folder(const char *given, struct starter *starter, struct error **err)
{
        _cleanup_(repository_clear) struct repository repository = REPOSITORY_INIT;
        const char *top;

        starter->folder = checkout_find(given);
        starter->is_there = starter->folder != NULL;
        if (!starter->folder)
                starter->folder = realpath(given, NULL);
        if (!starter->folder)
                return error_errno(err, ERROR_FAILED, "cannot find '%s'", given);
        top = repository_open(starter->folder, &repository, NULL) == 1 ? repository.top : repository.around;
        starter->is_repository = top && !holds_home(top);
        if (starter->is_repository && !starter->is_there)
                set_string(&starter->folder, xstrdup(top));
        starter->file = path_join(starter->folder, CHECKOUT_FILE);
        return 0;
}

static void add_profile(struct starter *starter, const char *name, const char *reason)
{
        _cleanup_(recipe_place_clear) struct recipe_place place = RECIPE_PLACE_INIT;

        if (strv_contains(&starter->profiles, name) || !recipe_place_profile(NULL, name, &place))
                return;
        strv_add(&starter->profiles, name);
        strv_add(&starter->reasons, reason);
}

/* Returns how many files say what kind of code this is. */
static size_t look_at_files(struct starter *starter)
{
        size_t found = 0;

        for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
                _cleanup_(freep) char *path = path_join(starter->folder, signs[i].file);

                if (!file_exists(path))
                        continue;
                found++;
                add_profile(starter, signs[i].profile, signs[i].file);
        }
        return found;
}

/* Profiles that are written out replace the default one, so that is written out with them. */
static void put_default_first(struct starter *starter, const char *name)
{
        struct strv profiles = STRV_INIT;

        if (!name || starter->profiles.count == 0 || strv_contains(&starter->profiles, name))
                return;
        strv_add(&profiles, name);
        strv_add_all(&profiles, &starter->profiles);
        strv_clear(&starter->profiles);
        starter->profiles = profiles;
}

static bool is_free(const char *name, const char *folder, const struct projects *projects)
{
        _cleanup_(vm_clear) struct vm vm = VM_INIT;

        if (streq(name, PROJECT_DEFAULT_NAME) || projects_find(projects, name))
                return false;
        return vm_open(&vm, name, NULL) == 0 && (!vm.exists || streq(vm.record.owner, folder));
}

static int choose_name(struct starter *starter, const struct projects *projects, struct error **err)
{
        _cleanup_(freep) char *base = path_base(starter->folder);
        _cleanup_(freep) char *wanted = text_name_from(base);

        if (!wanted)
                wanted = xstrdup("project");
        starter->name = xstrdup(wanted);
        for (int number = 2; !is_free(starter->name, starter->folder, projects); number++) {
                if (number > NAMES_TRIED)
                        return error_set(err, ERROR_FAILED, "no free name for a project like '%s'", wanted);
                set_string(&starter->name, xasprintf("%.*s-%d", NAME_MOST - 4, wanted, number));
        }
        return 0;
}

static void add_text(struct starter *starter)
{
        struct strbuf *out = &starter->text;
        _cleanup_(freep) char *profiles = strv_join(&starter->profiles, "\", \"");
        _cleanup_(freep) char *reasons = strv_join(&starter->reasons, ", ");

        strbuf_addf(out,
                    "# The project of this checkout, which gets a VM of its own: machine up\n"
                    "# All keys and their values: docs/configuration.md.\n"
                    "name = \"%s\"\n\n",
                    starter->name);
        if (starter->is_repository)
                strbuf_adds(out, "# This checkout's commits are pushed into the VM. A URL would be cloned there.\n"
                                 "repos = [\".\"]\n");
        else
                strbuf_adds(
                        out,
                        "# This folder is not a git repository, so its code stays out of the VM. After `git init`: repos = [\".\"]\n"
                        "repos = []\n");
        if (starter->profiles.count > 0)
                strbuf_addf(out, "\n# Because of %s. `machine profile list` shows all.\nprofiles = [\"%s\"]\n", reasons,
                            profiles);
        strbuf_adds(out, "\n# Ports of the VM that you can reach on this computer's 127.0.0.1.\n#ports = [3000]\n"
                         "\n# The size of the VM.\n#cpus = 2\n#memory = \"6GiB\"\n");
}

int starter_find(const char *folder, const struct projects *projects, struct starter *out, struct error **err)
{
        _cleanup_(starter_clear) struct starter starter = STARTER_INIT;

        if (find_folder(folder, &starter, err) < 0)
                return -1;
        if (look_at_files(&starter) == 0 && !starter.is_repository && !starter.is_there)
                return 0;
        if (holds_home(starter.folder) && !starter.is_there)
                return 0;
        put_default_first(&starter, projects->default_profile);
        if (choose_name(&starter, projects, err) < 0)
                return -1;
        add_text(&starter);
        *out = starter;
        starter = (struct starter)STARTER_INIT;
        return 1;
}

int starter_write(const struct starter *starter, bool replace, bool *trusted, struct error **err)
{
        _cleanup_(checkout_tree_clear) struct checkout_tree tree = CHECKOUT_TREE_INIT;
        const struct strbuf *text = &starter->text;

        if ((replace ? file_write(starter->file, text->buf, text->len, 0644, err)
                     : file_write_new(starter->file, text->buf, text->len, 0644, err)) < 0)
                return -1;
        *trusted = checkout_tree_read(starter->folder, &tree, NULL) == 0 && tree.count == 1;
        return *trusted ? trust_give(starter->file, text->buf, text->len, err) : 0;
}
