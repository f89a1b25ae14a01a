/*
 * The keys of projects.toml, .machine.toml and config.toml, for the code that decodes them and for the test that compares the
 * documentation with them.
 */
#pragma once

#include "config/project.h"
#include "config/schema.h"

extern const struct schema projects_schema; /* the top of projects.toml, into a struct projects; any other table is a project */
extern const struct schema table_schema;    /* such a table, into a struct project */
extern const struct schema project_schema;  /* the part of it that .machine.toml has too */
extern const struct schema checkout_schema; /* .machine.toml, into a struct project with `checkout` set */
extern const struct schema settings_schema; /* config.toml, into a struct settings (settings.h) */

/* Reads the text of a configuration file; a missing one is empty. */
int config_file_read(const char *file, struct strbuf *text, struct error **err);

/* Sets what a project has before anything is read. */
void project_set_defaults(struct project *project, const char *file);
/* Fills in what is still missing afterwards, from the defaults of projects.toml (NULL = none). */
void project_inherit(struct project *project, const struct projects *projects);
/* Adds a repo (both texts are copied). */
void project_add_repo(struct project *project, const char *url, const char *name, unsigned line, unsigned column);
