#include "repos_test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/file.h"
#include "lib/text.h"

int start(void **state)
{
        *state = fixture_new();
        return 0;
}

int start_with_forge(void **state)
{
        struct fixture *fixture = fixture_new();

        fixture_start_forge(fixture);
        *state = fixture;
        return 0;
}

int end(void **state)
{
        fixture_free(*state);
        return 0;
}

void expect(int status, int wanted, struct error *const *error)
{
        if (status != wanted) {
                _cleanup_(freep) char *text = *error ? error_text(*error) : xstrdup("success");

                fail_msg("%s", text);
        }
}

void fill(struct fixture *fixture, const char *const *urls)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        _cleanup_(project_clear) struct project project = fixture_project(fixture, urls);
        _cleanup_(error_freep) struct error *error = NULL;

        expect(repos_fill(&fixture->vm, &project, &brought, &fixture->events, &error), 0, &error);
}

struct error *fill_badly(struct fixture *fixture, const char *const *urls)
{
        _cleanup_(repos_brought_clear) struct repos_brought brought = REPOS_BROUGHT_INIT;
        _cleanup_(project_clear) struct project project = fixture_project(fixture, urls);
        struct error *error = NULL;

        expect(repos_fill(&fixture->vm, &project, &brought, &fixture->events, &error), -1, &error);
        assert_non_null(error);
        return error;
}

void expect_work(struct fixture *fixture, const char *checkout, const char *wanted)
{
        _cleanup_(freep) char *folder = checkout ? path_join(fixture->folder, checkout) : NULL;
        _cleanup_(error_freep) struct error *error = NULL;
        _cleanup_(work_clear) struct work work = WORK_INIT;
        _cleanup_(strv_clear) struct strv lines = STRV_INIT;
        _cleanup_(freep) char *text = NULL;

        expect(repos_find_work(&fixture->vm, folder, &work, &error), 0, &error);
        for (size_t i = 0; i < work.count; i++) {
                _cleanup_(freep) char *what = work_item_text(&work.items[i]);
                _cleanup_(freep) char *line = xasprintf("%s: %s", work.items[i].path, what);

                /* The fixture's own */
                if (!streq(work.items[i].path, "~/.gitconfig"))
                        strv_take(&lines, text_visible_dup(line));
        }
        strv_sort(&lines);
        text = strv_join(&lines, "\n");
        assert_string_equal(text, wanted ? wanted : "");
}

void expect_text(struct fixture *fixture, const char *folder, const char *script, const char *wanted)
{
        _cleanup_(freep) char *text = fixture_run(fixture, folder, script);

        assert_string_equal(text, wanted);
}

void move_origin(struct fixture *fixture, const char *folder)
{
        fixture_do(fixture, folder, "git remote set-url origin https://forge.example/repo.git");
}

char *file_url(struct fixture *fixture, const char *name)
{
        return xasprintf("file://%s/forge/%s", fixture->folder, name);
}

char *ssh_url(struct fixture *fixture, const char *name)
{
        return xasprintf("ssh://127.0.0.1:%u%s/forge/%s", (unsigned)fixture->forge_port, fixture->folder, name);
}

void make_forge_repo(struct fixture *fixture, const char *name)
{
        _cleanup_(freep) char *script =
                xasprintf("git init -q work-%s && cd work-%s && echo one >a && git add a && git commit -qm one\n"
                          "cd .. && git clone -q --bare work-%s %s && rm -r work-%s",
                          name, name, name, name, name);

        fixture_do(fixture, "forge", script);
}

void answer(struct fixture *fixture, const char *name, const char *script)
{
        _cleanup_(freep) char *path = xasprintf("%s/guest/session/%s", fixture->data, name);
        _cleanup_(error_freep) struct error *error = NULL;

        fixture_do(fixture, "data/guest",
                   "test ! -L session || { cp -r \"$(readlink session)\" copy && rm session && mv copy session; }");
        expect(file_write_text(path, script, 0600, &error), 0, &error);
}
