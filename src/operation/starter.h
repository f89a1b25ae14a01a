/*
 * A first .machine.toml for a checkout that has none: the name from its folder, the profiles from its files. Nothing in those
 * files is read.
 *
 *         _cleanup_(starter_clear) struct starter starter = STARTER_INIT;
 *         if (starter_find(".", &projects, &starter, err) == 1)
 *                 starter_write(&starter, false, &trusted, err);
 */
#pragma once

#include "config/project.h"
#include "lib/strbuf.h"

struct starter {
        char *folder;  /* where the file goes: where one is already, else the top of the git checkout, else the folder itself */
        char *file;    /* FOLDER/.machine.toml */
        char *name;    /* of the project; nobody else has it */
        bool is_there; /* there is such a file already */
        bool is_repository;   /* its code can be pushed into a VM */
        struct strv profiles; /* only such as are there */
        struct strv reasons;  /* the files that speak for them */
        struct strbuf text;   /* what is written */
};

#define STARTER_INIT                                                                                                           \
        {                                                                                                                      \
                .profiles = STRV_INIT, .reasons = STRV_INIT, .text = STRBUF_INIT                                               \
        }
void starter_clear(struct starter *starter);

/*
 * 1 = `folder` looks like a project: a .machine.toml or a git checkout is around it, or it has a file that a package manager
 * knows. 0 = it doesn't, or it is the home folder, or holds that.
 */
int starter_find(const char *folder, const struct projects *projects, struct starter *out, struct error **err);
/*
 * Writes the file, and trusts it: all that is in it comes from here. When a recipe or profiles lie beside it, they would be
 * trusted with it, so that is left to the question that comes before they are used; *trusted is then false. An existing file is
 * an error unless it is to be replaced.
 */
int starter_write(const struct starter *starter, bool replace, bool *trusted, struct error **err);
