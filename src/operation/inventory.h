/* Lists all projects of projects.toml and all VMs, each with what is known of it. Nothing is changed. */
#pragma once

#include "config/project.h"
#include "operation/front.h"
#include "vm/vm.h"

/* A VM, a project without one, or a record that can't be read. */
struct inventory_entry {
        char *name;
        const struct project *project; /* NULL = not configured (any more), or configured by a checkout */
        struct vm vm;                  /* vm.exists = false: there is no VM */
        struct vm_status status;
        char *trouble; /* why the state isn't known; NULL = it is */
        bool broken;   /* because its record can't be read */
        bool making;   /* somebody is making it (vm_is_being_made()) */
};

struct inventory {
        struct projects projects;
        struct inventory_entry *items; /* sorted by name */
        size_t count;
};

#define INVENTORY_INIT                                                                                                         \
        {                                                                                                                      \
                .projects = PROJECTS_INIT                                                                                      \
        }
void inventory_clear(struct inventory *inventory);

/* A configuration that can't be read, or a VM that can't be asked, is only a warning: all other VMs are still listed. */
int inventory_take(struct front *front, struct inventory *out, struct error **err);
/* Is there neither a project nor a VM? True also when that can't be found out. Asks no engine. */
bool inventory_is_empty(void);
/* "running", "stopped", …; "creating" for one that is being made, "unknown" for one with trouble, "broken" for one without a
 * record. */
const char *inventory_state(const struct inventory_entry *entry);
/* So many different connections and names the guest was refused since its VM was started: what was refused once and what was
 * refused a thousand times is one thing to look at. 0 for a VM that neither runs nor is parked; -1 = unknown. */
int64_t inventory_refused(const struct inventory_entry *entry);
/* Adds the repos of its VM, or those of its project when it has no VM. */
void inventory_repos(const struct inventory_entry *entry, struct strv *out);
