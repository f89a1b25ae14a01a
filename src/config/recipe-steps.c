#include "config/recipe-steps.h"

/* What all steps of a part are made with. */
struct maker {
        const struct recipe *recipe;
        const struct recipe_place *place;
        struct recipe_part *part;
        struct error *mistakes;
        unsigned numbers[RECIPE_KINDS]; /* of steps without a name */
};

void recipe_step_clear(struct recipe_step *step)
{
        for (size_t i = 0; i < step->value_count; i++) {
                free(step->values[i].name);
                strv_clear(&step->values[i].items);
        }
        for (size_t i = 0; i < step->file_count; i++) {
                free(step->files[i].name);
                free(step->files[i].content);
        }
        for (size_t i = 0; i < step->download_count; i++) {
                free(step->downloads[i].name);
                free(step->downloads[i].url);
                free(step->downloads[i].sha256);
        }
        free(step->id);
        free(step->title);
        free(step->skipped);
        free(step->values);
        free(step->files);
        free(step->downloads);
        free(step->verify);
        free(step->hash);
}

struct recipe_step *recipe_part_add(struct recipe_part *part, enum recipe_kind kind, const char *id, unsigned line,
                                    unsigned column)
{
        part->steps = xreallocarray(part->steps, part->step_count + 1, sizeof(*part->steps));
        part->steps[part->step_count] = (struct recipe_step){
                .kind = kind,
                .id = xstrdup(id),
                .file = part->file,
                .line = line,
                .column = column,
        };
        return &part->steps[part->step_count++];
}

static struct strv *value_items(struct recipe_step *step, const char *name)
{
        for (size_t i = 0; i < step->value_count; i++)
                if (streq(step->values[i].name, name))
                        return &step->values[i].items;
        step->values = xreallocarray(step->values, step->value_count + 1, sizeof(*step->values));
        step->values[step->value_count] = (struct recipe_value){ .name = xstrdup(name), .items = STRV_INIT };
        return &step->values[step->value_count++].items;
}

void recipe_step_add_value(struct recipe_step *step, const char *name, const char *item)
{
        if (item)
                strv_add(value_items(step, name), item);
}

void recipe_step_add_values(struct recipe_step *step, const char *name, const struct strv *items)
{
        if (items->count > 0)
                strv_add_all(value_items(step, name), items);
}

void recipe_step_add_file(struct recipe_step *step, const char *name, const void *content, size_t length, bool executable)
{
        char *copy = xcalloc(length + 1, 1); /* ended by a NUL, for code that reads it as a text */

        if (length > 0)
                memcpy(copy, content, length);
        step->files = xreallocarray(step->files, step->file_count + 1, sizeof(*step->files));
        step->files[step->file_count++] = (struct recipe_file){
                .name = xstrdup(name),
                .content = copy,
                .length = length,
                .executable = executable,
        };
}

static void mistake(struct maker *maker, unsigned line, unsigned column, const char *format, ...) _printf_(4, 5);
static void mistake(struct maker *maker, unsigned line, unsigned column, const char *format, ...)
{
        struct error *error = NULL;
        va_list args;

        va_start(args, format);
        error_at_list(&error, maker->part->file, line, column, format, args);
        va_end(args);
        error_append(&maker->mistakes, error);
}

/* The text for this architecture, or NULL. */
static const char *for_architecture(const struct recipe_texts *texts, const char *architecture)
{
        for (size_t i = 0; i < texts->names.count; i++)
                if (streq(texts->names.items[i], "") || streq(texts->names.items[i], architecture))
                        return texts->values.items[i];
        return NULL;
}

/* `text` with {arch}, {codename} and {version} filled in. Other braces are left. */
static char *expand(const struct maker *maker, const struct recipe_entry *entry, const char *text)
{
        const char *arch = for_architecture(&entry->arch_names, maker->recipe->architecture);
        const char *const names[][2] = {
                { "{arch}", arch ? arch : maker->recipe->architecture },
                { "{codename}", maker->recipe->suite },
                { "{version}", entry->version },
        };
        _cleanup_(strbuf_clear) struct strbuf out = STRBUF_INIT;

        while (*text) {
                size_t i = 0;

                while (i < ARRAY_SIZE(names) && (!names[i][1] || !starts_with(text, names[i][0])))
                        i++;
                if (i < ARRAY_SIZE(names)) {
                        strbuf_adds(&out, names[i][1]);
                        text += strlen(names[i][0]);
                } else {
                        strbuf_addc(&out, *text++);
                }
        }
        return strbuf_take(&out);
}

static void expand_all(const struct maker *maker, const struct recipe_entry *entry, const char *name, const struct strv *texts,
                       struct recipe_step *step)
{
        for (size_t i = 0; i < texts->count; i++) {
                _cleanup_(freep) char *text = expand(maker, entry, texts->items[i]);

                recipe_step_add_value(step, name, text);
        }
}

static void add_download(const struct maker *maker, const struct recipe_entry *entry, const char *name,
                         struct recipe_step *step)
{
        step->downloads = xreallocarray(step->downloads, step->download_count + 1, sizeof(*step->downloads));
        step->downloads[step->download_count++] = (struct recipe_download){
                .name = xstrdup(name),
                .url = expand(maker, entry, entry->url),
                .sha256 = xstrdup(for_architecture(&entry->sha256, maker->recipe->architecture)),
                .line = entry->url_line,
                .column = entry->url_column,
        };
}

/* Adds the file beside the recipe that the entry names. If it can't be read, the error is at the entry's place. */
static void add_beside(struct maker *maker, const struct recipe_entry *entry, const char *source, const char *name,
                       struct recipe_step *step)
{
        _cleanup_(strbuf_clear) struct strbuf content = STRBUF_INIT;
        struct error *error = NULL;
        bool executable;

        if (recipe_place_read(maker->place, source, &content, &executable, &error) == 0) {
                recipe_step_add_file(step, name, content.buf, content.len, executable);
                return;
        }
        error->kind = ERROR_CONFIG;
        set_string(&error->file, xstrdup(maker->part->file));
        error->line = entry->line;
        error->column = entry->column;
        error_append(&maker->mistakes, error);
}

/* Why the entry doesn't apply, or NULL. Owned by the caller. */
static char *why_not(const struct maker *maker, const struct recipe_entry *entry)
{
        if (entry->when.arch.count > 0 && !strv_contains(&entry->when.arch, maker->recipe->architecture)) {
                _cleanup_(freep) char *all = strv_join(&entry->when.arch, ", ");

                return xasprintf("only on %s", all);
        }
        if (entry->when.suite && !streq(entry->when.suite, maker->recipe->suite))
                return xasprintf("only in %s", entry->when.suite);
        return NULL;
}

static bool has_id(const struct recipe_part *part, const char *id)
{
        for (size_t i = 0; i < part->step_count; i++)
                if (streq(part->steps[i].id, id))
                        return true;
        return false;
}

/* "release-fzf", "apt", "apt-2"; a number tells entries of one name for different architectures apart. */
static char *make_id(struct maker *maker, enum recipe_kind kind, const char *name)
{
        const char *of = recipe_kind_name(kind);
        _cleanup_(freep) char *id = name ? xasprintf("%s-%s", of, name) : xstrdup(of);
        _cleanup_(freep) char *first = xstrdup(id);

        if (!name && ++maker->numbers[kind] > 1)
                set_string(&id, xasprintf("%s-%u", of, maker->numbers[kind]));
        for (unsigned n = 2; has_id(maker->part, id); n++)
                set_string(&id, xasprintf("%s-%u", first, n));
        return TAKE_PTR(id);
}

/* "apt: git, jq, 12 more" */
static char *list_title(const char *what, const struct strv *items)
{
        _cleanup_(strbuf_clear) struct strbuf title = STRBUF_INIT;

        strbuf_adds(&title, what);
        for (size_t i = 0; i < items->count && i < 3; i++)
                strbuf_addf(&title, "%s%s", i == 0 ? ": " : ", ", items->items[i]);
        if (items->count > 3)
                strbuf_addf(&title, ", %zu more", items->count - 3);
        return strbuf_take(&title);
}

static void make_apt_repo(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        _cleanup_(freep) char *deb = expand(maker, entry, entry->deb);

        recipe_step_add_value(step, "name", entry->name);
        recipe_step_add_value(step, "deb", deb);
        recipe_step_add_values(step, "packages", &entry->packages);
        add_download(maker, entry, "key", step);
        step->title = entry->packages.count ? list_title("apt repository", &entry->packages)
                                            : xasprintf("apt repository %s", entry->name);
}

/* Adds to the packages of the entries that were already put into this step. */
static void make_packages(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        for (size_t i = 0; i < entry->packages.count; i++)
                if (!step->value_count || !strv_contains(value_items(step, "packages"), entry->packages.items[i]))
                        recipe_step_add_value(step, "packages", entry->packages.items[i]);
        set_string(&step->title, list_title(entry->kind == RECIPE_APT ? "apt" : "npm", value_items(step, "packages")));
}

static void make_release(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        _cleanup_(freep) char *strip = xasprintf("%d", (int)entry->strip);

        recipe_step_add_value(step, "name", entry->name);
        recipe_step_add_value(step, "format", entry->format);
        expand_all(maker, entry, "bin", &entry->bin, step);
        if (entry->into) {
                recipe_step_add_value(step, "into", entry->into);
                recipe_step_add_value(step, "strip", strip);
        }
        recipe_step_add_value(step, "to", entry->to ? entry->to : "/usr/local/bin");
        expand_all(maker, entry, "links", &entry->links, step);
        add_download(maker, entry, "archive", step);
        step->title =
                entry->version ? xasprintf("release %s %s", entry->name, entry->version) : xasprintf("release %s", entry->name);
}

static void make_installer(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        recipe_step_add_value(step, "name", entry->name);
        expand_all(maker, entry, "args", &entry->args, step);
        for (size_t i = 0; i < entry->env.names.count; i++) {
                _cleanup_(freep) char *line = xasprintf("%s=%s", entry->env.names.items[i], entry->env.values.items[i]);

                recipe_step_add_value(step, "env", line);
        }
        add_download(maker, entry, "script", step);
        step->title = xasprintf("installer %s", entry->name);
}

static void make_uv_tool(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        recipe_step_add_values(step, "packages", &entry->packages);
        recipe_step_add_value(step, "python", entry->python);
        recipe_step_add_values(step, "with", &entry->with);
        recipe_step_add_value(step, "uv", entry->uv);
        step->title = list_title("uv", &entry->packages);
}

/* Adds one more file to the step of all files. */
static void make_file(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        _cleanup_(freep) char *name = xasprintf("%zu", step->file_count);
        const char *owner = starts_with(entry->path, "{home}/") ? "user" : "root";

        if (entry->source)
                add_beside(maker, entry, entry->source, name, step);
        else
                recipe_step_add_file(step, name, entry->content, strlen(entry->content), false);
        recipe_step_add_value(step, "path", entry->path);
        recipe_step_add_value(step, "mode", entry->mode ? entry->mode : "0644");
        recipe_step_add_value(step, "owner", entry->owner ? entry->owner : owner);
        set_string(&step->title, list_title("files", value_items(step, "path")));
}

static void make_agents(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        recipe_step_add_values(step, "marketplace", &entry->marketplace);
        recipe_step_add_values(step, "plugins", &entry->plugins);
        recipe_step_add_value(step, "default_permission_mode", entry->permission_mode);
        step->title = xstrdup("agents: Claude Code");
        step->as_user = true;
}

static void make_shell(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step)
{
        if (entry->script)
                add_beside(maker, entry, entry->script, "script", step);
        else
                recipe_step_add_file(step, "script", entry->cmd, strlen(entry->cmd), false);
        step->title = entry->name     ? xasprintf("shell %s", entry->name)
                      : entry->script ? xasprintf("shell %s", entry->script)
                                      : xasprintf("shell: %.*s", (int)strcspn(entry->cmd, "\n"), entry->cmd);
}

static const struct {
        void (*make)(struct maker *maker, const struct recipe_entry *entry, struct recipe_step *step);
        bool joins; /* one step for all entries that have no `verify` of their own */
} makers[RECIPE_KINDS] = {
        [RECIPE_APT_REPO] = { make_apt_repo, false }, [RECIPE_APT] = { make_packages, true },
        [RECIPE_RELEASE] = { make_release, false },   [RECIPE_INSTALLER] = { make_installer, false },
        [RECIPE_UV_TOOL] = { make_uv_tool, false },   [RECIPE_NPM_GLOBAL] = { make_packages, true },
        [RECIPE_FILES] = { make_file, true },         [RECIPE_AGENTS] = { make_agents, false },
        [RECIPE_SHELL] = { make_shell, false },
};

/* The step that this entry is put into, or NULL when it needs one of its own. */
static struct recipe_step *joined(const struct maker *maker, const struct recipe_entry *entry)
{
        struct recipe_step *steps = maker->part->steps;

        if (!makers[entry->kind].joins || entry->verify)
                return NULL;
        for (size_t i = maker->part->step_count; i > 0; i--)
                if (steps[i - 1].kind == entry->kind && !steps[i - 1].skipped && !steps[i - 1].verify &&
                    steps[i - 1].optional == entry->optional)
                        return &steps[i - 1];
        return NULL;
}

/* Finds the step of an earlier entry or part that has the same file or program. If it is of another kind, sets `clash`. */
static struct recipe_step *earlier(const struct maker *maker, const struct recipe_entry *entry, struct error **clash)
{
        const char *key = entry->kind == RECIPE_FILES ? "path" : "name";
        const char *wanted = entry->kind == RECIPE_FILES ? entry->path : entry->kind == RECIPE_SHELL ? NULL : entry->name;

        for (size_t p = 0; p <= maker->recipe->part_count; p++) {
                const struct recipe_part *part = p < maker->recipe->part_count ? &maker->recipe->parts[p] : maker->part;

                for (size_t i = 0; i < part->step_count; i++) {
                        struct recipe_step *step = &part->steps[i];
                        const struct strv *names = recipe_step_value(step, key);

                        if (entry->kind == RECIPE_AGENTS && step->kind == RECIPE_AGENTS && !step->skipped &&
                            entry->permission_mode && recipe_step_value(step, "default_permission_mode"))
                                return step;
                        if (step->skipped || !names || !wanted || !strv_contains(names, wanted))
                                continue;
                        if (step->kind == entry->kind)
                                return step;
                        error_at(clash, maker->part->file, entry->line, entry->column,
                                 "'%s' is %s here and %s in '%s', line %u", wanted, recipe_section_name(entry->kind),
                                 recipe_section_name(step->kind), step->file, step->line);
                        error_hint(clash, "give one of the two another name");
                        return NULL;
                }
        }
        return NULL;
}

static void skip(struct maker *maker, const struct recipe_entry *entry, const char *id, char *reason)
{
        struct recipe_step *step = recipe_part_add(maker->part, entry->kind, id, entry->line, entry->column);

        makers[entry->kind].make(maker, entry, step);
        step->skipped = reason;
}

static void make_step(struct maker *maker, const struct recipe_entry *entry)
{
        struct recipe_entry own = *entry; /* borrows all */
        _cleanup_(freep) char *id = NULL;
        _cleanup_(freep) char *reason = why_not(maker, entry);
        struct error *clash = NULL;
        struct recipe_step *first = reason ? NULL : earlier(maker, entry, &clash);
        struct recipe_step *step;

        if (clash)
                error_append(&maker->mistakes, clash);
        if (first && entry->kind == RECIPE_AGENTS) {
                own.permission_mode = NULL;
        } else if (first && entry->kind == RECIPE_APT_REPO) {
                _cleanup_(freep) char *deb = expand(maker, entry, entry->deb);

                if (!streq(recipe_step_value(first, "deb")->items[0], deb))
                        mistake(maker, entry->line, entry->column, "apt_repo '%s' is a different one in '%s', line %u",
                                entry->name, first->file, first->line);
        } else if (first) {
                reason = xasprintf("'%s', line %u, has it already", first->file, first->line);
                /* Who asks for it later may need it. */
                first->optional &= entry->optional;
        }
        step = reason ? NULL : joined(maker, entry);
        if (!step) {
                id = make_id(maker, entry->kind, entry->name);
                if (reason) {
                        skip(maker, entry, id, TAKE_PTR(reason));
                        return;
                }
                step = recipe_part_add(maker->part, entry->kind, id, entry->line, entry->column);
                step->as_user = entry->as_user;
                step->optional = entry->optional;
                step->verify = xstrdup(entry->verify);
        }
        makers[entry->kind].make(maker, &own, step);
}

/* Adds what must hold in the end, as a step that does nothing else. */
static void make_verify(struct maker *maker, const struct recipe_source *source)
{
        static const char nothing[] = "true\n";
        struct recipe_step *step;

        if (!source->profile.verify)
                return;
        step = recipe_part_add(maker->part, RECIPE_SHELL, "verify", source->profile.line, source->profile.column);
        recipe_step_add_file(step, "script", nothing, strlen(nothing), false);
        step->title = xstrdup("verify the profile");
        step->verify = xstrdup(source->profile.verify);
        step->as_user = true;
        step->checks_all = true;
}

int recipe_steps_make(const struct recipe_source *source, const struct recipe_place *place, const struct recipe *recipe,
                      struct recipe_part *part, struct error **err)
{
        struct maker maker = { .recipe = recipe, .place = place, .part = part };

        for (size_t i = 0; i < source->count; i++)
                make_step(&maker, &source->entries[i]);
        make_verify(&maker, source);
        if (!maker.mistakes)
                return 0;
        if (!err) {
                error_free(maker.mistakes);
                return -1;
        }
        error_free(*err);
        *err = maker.mistakes;
        return -1;
}
