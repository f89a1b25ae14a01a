/* Any bytes as projects.toml and as .machine.toml. What is accepted keeps all promises; what is refused says where. */
#include "../fuzz.h"
#include "config/checkout.h"
#include "config/repo-url.h"

#include "config/project.h"
#include "lib/text.h"

static void check_project(const struct project *project)
{
        CHECK(text_name_valid(project->name));
        CHECK(streq(project->shell, "zsh") || streq(project->shell, "bash"));
        CHECK(streq(project->engine, "auto") || streq(project->engine, "qemu") || streq(project->engine, "lima"));
        CHECK(project->cpus >= 1 && project->cpus <= 256);
        CHECK(project->memory_bytes >= INT64_C(512) << 20 && project->memory_bytes <= INT64_C(4) << 40);
        CHECK(project->disk_bytes >= INT64_C(4) << 30 && project->disk_bytes <= INT64_C(64) << 40);
        for (size_t i = 0; i < project->profiles.count; i++)
                CHECK(text_name_valid(project->profiles.items[i]));
        for (size_t i = 0; i < project->port_count; i++) {
                CHECK(project->ports[i].host > 0 && project->ports[i].guest > 0);
                for (size_t j = 0; j < i; j++)
                        CHECK(project->ports[i].host != project->ports[j].host);
        }
        for (size_t i = 0; i < project->repo_count; i++) {
                const struct project_repo *repo = &project->repos[i];

                CHECK(streq(repo->url, ".") ? project->checkout != NULL : repo_url_check(repo->url, NULL, NULL) == 0);
                CHECK(*repo->name != '\0' && *repo->name != '.' && *repo->name != '-' && !strchr(repo->name, '/'));
                for (size_t j = 0; j < i; j++)
                        CHECK(!streq(repo->name, project->repos[j].name));
        }
}

/* Mistakes are sorted and each has its place. The last may be the count of those left out. */
static void check_mistakes(const struct error *error)
{
        size_t count = 0;

        CHECK(error);
        for (const struct error *e = error; e; e = e->next) {
                _cleanup_(freep) char *text = error_text(e);

                count++;
                CHECK(e->kind == ERROR_CONFIG && *text != '\0' && e->file);
                CHECK(!e->next || e->next->line == 0 || e->line < e->next->line ||
                      (e->line == e->next->line && e->column <= e->next->column));
        }
        CHECK(count <= 101);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(projects_clear) struct projects projects = PROJECTS_INIT;
        _cleanup_(project_clear) struct project project = PROJECT_INIT;
        _cleanup_(project_clear) struct project copy = PROJECT_INIT;
        _cleanup_(error_freep) struct error *first = NULL;
        _cleanup_(error_freep) struct error *second = NULL;

        if (projects_parse((const char *)data, size, "p.toml", &projects, &first) < 0)
                check_mistakes(first);
        for (size_t i = 0; i < projects.count; i++)
                check_project(&projects.items[i]);
        if (checkout_parse((const char *)data, size, "m.toml", "/home/jane/blog", &projects, &project, &second) < 0) {
                check_mistakes(second);
                return 0;
        }
        check_project(&project);
        project_copy(&copy, &project);
        check_project(&copy);
        project_claim_check(&copy, "projects.toml", &projects, NULL);
        return 0;
}
